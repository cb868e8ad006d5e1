// Runs in the audio thread: passes the microphone on in blocks of about a tenth of a second.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate / 10));
    this.n = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.block[this.n++] = sample;
      if (this.n === this.block.length) {
        this.port.postMessage(this.block);  // a copy
        this.n = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
