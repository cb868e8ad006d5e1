// The page of asr serve: a recording or the microphone in, words with times out.

const PAUSE = 1.0;  // seconds without a word that begin a paragraph
const MAX_WORDS = 60;  // of a paragraph
const DOUBLE_CLICK = 500;  // milliseconds

const $ = (id) => document.getElementById(id);
const audio = $("audio");
let words = [];  // {word, start, end, confidence, element}
let task = null;  // what runs: {cancel()}, or {stop(), cancel()} while recording
let url = null;  // of the recording
let length = 0;  // of the recording, in seconds; some files do not tell browsers theirs
let now = -1;  // the word that is heard
let shown = 0;  // when the state was shown, in milliseconds

// ---- what is shown

function begin(state, status) {
  audio.pause();
  if (url) URL.revokeObjectURL(url);
  url = null;
  words = [];
  now = -1;
  $("transcript").replaceChildren();
  for (const id of ["player", "hint", "downloads"]) $(id).hidden = true;
  $("problem").textContent = "";
  show(state, status);
}

function show(state, status) {
  document.body.dataset.state = state;
  $("status").textContent = status;
  $("clock").textContent = "";
  $("record-label").textContent = state === "live" ? "Stop" : "Record";
  $("cancel").hidden = state !== "busy";
  shown = performance.now();
}

function fail(message) {
  task = null;
  show("idle", "");
  $("problem").textContent = message;
}

function clock(seconds) {
  const s = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}`
    : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function add(more) {
  for (const word of more) {
    const last = words.at(-1);
    let paragraph = $("transcript").lastElementChild?.querySelector("p");
    const isLong = paragraph && paragraph.childElementCount >= MAX_WORDS;
    if (!last || isLong || word.start - last.end >= PAUSE) paragraph = addParagraph(word.start);
    words.push({...word, element: addWord(paragraph, word, words.length)});
  }
  const isUpper = words.every(({word}) => word === word.toUpperCase());
  $("transcript").classList.toggle("is-upper", isUpper);
}

function addParagraph(start) {
  const block = document.createElement("div"), time = document.createElement("time");
  const paragraph = document.createElement("p");
  block.className = "paragraph";
  time.textContent = clock(start);
  block.append(time, paragraph);
  $("transcript").append(block);
  return paragraph;
}

function addWord(paragraph, word, index) {
  const element = document.createElement("span");
  element.className = "word";
  element.textContent = word.word;
  element.dataset.index = index;
  element.tabIndex = index ? -1 : 0;
  if (word.confidence !== null) {
    const ink = Math.max(0, (word.confidence - 0.4) / 0.6);
    element.style.setProperty("--sure", `${Math.round(100 * ink)}%`);
    element.title = `${Math.round(100 * word.confidence)} % certain, at ${clock(word.start)}`;
  }
  paragraph.append(element, " ");
  return element;
}

function finish({text, srt, duration}, blob, name) {
  task = null;
  length = duration;
  const n = words.length;
  show("idle", n ? `${clock(duration)} · ${n} word${n > 1 ? "s" : ""}` : "No words were heard.");
  play(blob);
  if (!n) return;
  $("hint").hidden = $("downloads").hidden = false;
  for (const [id, content] of [["txt", `${text}\n`], ["srt", srt]]) {
    URL.revokeObjectURL($(id).href);
    $(id).href = URL.createObjectURL(new Blob([content], {type: "text/plain"}));
    $(id).download = `${name}.${id}`;
  }
  $("copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      $("status").textContent = "Copied.";
    } catch (error) {
      $("problem").textContent = navigator.clipboard ? `Copying is not possible: ${error.message}`
        : "Browsers copy only from localhost or over HTTPS.";
    }
  };
}

// ---- the server

function key() {
  return sessionStorage.getItem("key");
}

function askForKey(problem) {
  return new Promise((resolve, reject) => {
    const dialog = $("key-dialog");
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue) sessionStorage.setItem("key", $("key").value);
      $("key").value = "";
      dialog.returnValue ? resolve() : reject(new Error("This server asks for a key."));
    };
    $("key-problem").textContent = problem;
    dialog.showModal();
  });
}

async function ask(path, options = {}) {
  const sent = key();
  const headers = sent ? {Authorization: `Bearer ${sent}`} : {};
  const response = await fetch(path, {...options, headers});
  if (response.status === 401) {
    sessionStorage.removeItem("key");
    await askForKey(sent ? "The server does not know this key." : "");
    return ask(path, options);
  }
  if (!response.ok) throw new Error(await problemOf(response));
  return response;
}

async function problemOf(response) {
  try {
    return sentence((await response.json()).error.message);
  } catch {
    return `The server answered ${response.status}.`;
  }
}

function sentence(message) {
  const plain = message.replace(/^the recording: /, "The recording ");
  return plain[0].toUpperCase() + plain.slice(1) + (plain.endsWith(".") ? "" : ".");
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part.slice("data: ".length));
  }
}

async function transcribe(file) {
  task?.cancel();
  const controller = new AbortController(), own = {cancel: () => controller.abort()};
  begin("busy", "Transcribing…");
  task = own;
  const body = new FormData();
  body.append("file", file);
  body.append("stream", "true");
  try {
    const options = {method: "POST", body, signal: controller.signal};
    const response = await ask("v1/audio/transcriptions", options);
    for await (const event of events(response)) {
      if (event.error) throw new Error(sentence(event.error.message));
      if (event.words) {
        add(event.words);
        $("status").textContent = `Transcribed to ${clock(words.at(-1).end)}…`;
      } else {
        finish(event, file, file.name.replace(/\.[^.]*$/, "") || "recording");
      }
    }
    if (task === own) throw new Error("The server ended before the transcript did.");
  } catch (error) {
    if (task === own) {
      const message = error instanceof TypeError ? "The server does not answer." : error.message;
      error.name === "AbortError" ? begin("idle", "") : fail(message);
      task = null;
    }
  }
}

// ---- the microphone

async function record() {
  let stream, context, socket;
  const own = {stop() {}, cancel() {}};
  const silence = () => {
    stream?.getTracks().forEach((track) => track.stop());
    if (context && context.state !== "closed") context.close();
    $("record").style.removeProperty("--level");
  };
  task = own;  // now: a second click or a file may come before the microphone does
  try {
    await ask("v1/models");  // asks for the key, if there is one
    stream = await navigator.mediaDevices.getUserMedia({audio: {channelCount: 1}});
    context = new AudioContext();
    await context.audioWorklet.addModule("recorder.js");
    if (task !== own) return silence();
    const path = `v1/audio/live?rate=${context.sampleRate}`;
    const address = new URL(path, location.href.replace(/^http/, "ws"));
    socket = new WebSocket(address, key() ? ["asr", `openai-insecure-api-key.${key()}`] : ["asr"]);
  } catch (error) {
    silence();
    if (task !== own) return;
    const isDenied = error.name === "NotAllowedError";
    fail(isDenied ? "The browser did not allow the microphone; its settings for this page do."
      : navigator.mediaDevices ? `Recording is not possible: ${error.message}`
        : "Browsers record only from localhost or over HTTPS.");
    return;
  }
  begin("live", "Connecting…");
  const rate = context.sampleRate, blocks = [];
  const source = context.createMediaStreamSource(stream);
  const recorder = new AudioWorkletNode(context, "recorder", {numberOfOutputs: 0});

  const hear = ({data}) => {
    const samples = new Int16Array(data.length);
    let peak = 0;
    data.forEach((sample, i) => {
      samples[i] = Math.max(-1, Math.min(1, sample)) * 32767;
      peak = Math.max(peak, Math.abs(sample));
    });
    blocks.push(samples);
    socket.send(samples);
    $("record").style.setProperty("--level", Math.min(0.6, peak).toFixed(2));
    const seconds = blocks.length * data.length / rate;
    $("clock").textContent = clock(seconds);
  };
  own.stop = () => {
    if (!blocks.length) {  // nothing was heard yet
      own.cancel();
      begin("idle", "");
      return;
    }
    recorder.port.onmessage = null;
    silence();
    socket.send('{"type": "end"}');
    show("busy", "Finishing…");
  };
  own.cancel = () => {
    recorder.port.onmessage = null;
    silence();
    task = null;
    socket.close();
  };
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if (message.type === "session") {
      $("status").textContent = `Listening. Words follow within ${message.delay} seconds.`;
      recorder.port.onmessage = hear;
      source.connect(recorder);
    } else if (message.type === "words") {
      add(message.words);
    } else if (message.type === "done") {
      finish(message, wav(blocks, rate), "recording");
    } else if (message.error) {
      own.cancel();
      fail(sentence(message.error.message));
    }
  };
  socket.onclose = () => {
    if (task !== own) return;
    own.cancel();
    fail("The connection to the server is lost.");
  };
}

function wav(blocks, rate) {
  const n = 2 * blocks.reduce((sum, block) => sum + block.length, 0);
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); head.setUint32(4, 36 + n, true); text(8, "WAVEfmt "); head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); head.setUint16(22, 1, true); head.setUint32(24, rate, true);
  head.setUint32(28, 2 * rate, true); head.setUint16(32, 2, true); head.setUint16(34, 16, true);
  text(36, "data"); head.setUint32(40, n, true);
  return new Blob([head, ...blocks], {type: "audio/wav"});
}

// ---- playback

function play(blob) {
  url = URL.createObjectURL(blob);
  $("transcript").classList.remove("is-mute");
  audio.src = url;
}

function hearFrom(index) {
  if ($("player").hidden) return;
  audio.currentTime = words[index].start;
  audio.play();
}

function follow() {
  const t = audio.currentTime;
  $("seek").value = t;
  $("seek").setAttribute("aria-valuetext", clock(t));
  $("time").textContent = `${clock(t)} / ${clock(length)}`;
  const index = audio.paused && t === 0 ? -1 : words.findLastIndex(({start}) => start <= t + 0.02);
  if (index === now) return;
  words[now]?.element.classList.remove("is-now");
  words[index]?.element.classList.add("is-now");
  now = index;
}

function tick() {
  follow();
  if (!audio.paused) requestAnimationFrame(tick);
}

audio.onloadedmetadata = () => {
  $("player").hidden = false;
  $("seek").max = length;
  follow();
};
audio.onerror = () => {
  if (!url) return;
  $("transcript").classList.add("is-mute");
  $("status").textContent += " · this browser cannot play this format";
};
audio.onplay = audio.onpause = () => {
  $("play").classList.toggle("is-playing", !audio.paused);
  $("play").setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  tick();
};
audio.onseeked = follow;
$("play").onclick = () => (audio.paused ? audio.play() : audio.pause());
$("seek").oninput = () => { audio.currentTime = $("seek").value; };

$("transcript").onclick = ({target}) => {
  if (target.dataset.index) hearFrom(Number(target.dataset.index));
};
$("transcript").onfocusin = ({target}) => {
  if (!target.dataset.index) return;
  $("transcript").querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
  target.tabIndex = 0;
};
$("transcript").onkeydown = (event) => {
  const index = Number(event.target.dataset.index);
  if (event.key === "Enter" || event.key === " ") hearFrom(index);
  else {
    const to = {ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: words.length - 1}[event.key];
    if (to === undefined) return;
    words[to]?.element.focus();
  }
  event.preventDefault();
};

// ---- what people do

$("record").onclick = () => (task?.stop ? task.stop() : record());
$("cancel").onclick = () => {
  if (performance.now() - shown < DOUBLE_CLICK) return;  // a second click on Stop, where this is now
  task?.cancel();
  task = null;
  begin("idle", "");
};
$("file").onchange = ({target}) => {
  if (target.files.length) transcribe(target.files[0]);
  target.value = "";
};
document.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.add("is-dropping");
};
document.ondragleave = ({relatedTarget}) => {
  if (!relatedTarget) document.body.classList.remove("is-dropping");
};
document.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove("is-dropping");
  const file = event.dataTransfer.files[0];
  if (file) transcribe(file);
};

const models = await fetch("v1/models", key() ? {headers: {Authorization: `Bearer ${key()}`}} : {});
if (models.ok) $("model").textContent = (await models.json()).data[0].id;
