"use strict";
// The page without it is complete but for the table of all utterances, hints at once, and sound
// from any word. No text is ever parsed as markup: only textContent and attributes are set.

const ROW = 30; // pixels; page.css says so, too
const KINDS = { "=": "hit", S: "sub", D: "del", I: "ins", O: "omitted", o: "omitted" };
const COLUMNS = {
  id: "utterance", speaker: "speaker", seconds: "s", words: "words", errors: "errors",
  wer: "WER %", text: "recognised",
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Unpack what asr/report/listing.py packed, and drop the packed form.
async function unpack(source) {
  const text = atob(source.textContent), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  source.remove();
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).json();
}

// Until the page is seen, nothing is unpacked that is needed only further down.
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

const split = (text) => (text ? text.split(" ") : []);

// The steps of an alignment; start (1/100 s) and confidence (%) of recognised words if known.
function steps(data, i, more = {}) {
  const said = split(data.references[i]), heard = split(data.hypotheses[i]);
  const starts = split(more.starts?.[i]), confidences = split(more.confidences?.[i]);
  let r = 0, h = 0;
  return Array.from(data.marks[i], (mark) => {
    const reference = mark === "I" || mark === "o" ? "" : said[r++];
    if (mark === "D" || mark === "O") return { mark, reference, hypothesis: "" };
    const step = { mark, reference, hypothesis: heard[h], start: starts[h], confidence: confidences[h] };
    h++;
    return step;
  });
}

class Listing {
  constructor(section, panel) {
    this.panel = panel;
    this.search = section.querySelector("input[type=search]");
    this.wrongOnly = section.querySelector(".wrong-only");
    this.shown = section.querySelector(".shown");
    this.head = section.querySelector(".grid-head");
    this.body = section.querySelector(".grid-body");
    this.space = section.querySelector(".grid-space");
    this.opened = section.querySelector(".opened");
    this.section = section;
    this.order = { column: "errors", sign: -1 };
    this.current = -1;
  }

  async load() {
    await painted();
    this.data = await unpack(this.section.querySelector(".listed"));
    this.missing = new Set(this.data.missing);
    this.columns = Object.keys(COLUMNS).filter(
      (name) => (name !== "seconds" || this.data.durations)
        && (name !== "speaker" || this.data.speakers.some(Boolean)));
    this.section.classList.toggle("without-speaker", !this.columns.includes("speaker"));
    this.section.classList.toggle("without-seconds", !this.columns.includes("seconds"));
    this.section.hidden = false;
    this.listen();
    this.sort();
  }

  value(name, i) {
    switch (name) {
      case "id": return this.data.ids[i];
      case "speaker": return this.data.speakers[i];
      case "seconds": return this.data.durations[i] ?? -1;
      case "words": return this.data.words[i];
      case "errors": return this.data.errors[i];
      case "wer": return this.data.errors[i] ? this.data.errors[i] / this.data.words[i] : 0;
      default: return this.data.hypotheses[i];
    }
  }

  listen() {
    for (const name of this.columns) {
      const button = make("button", name, COLUMNS[name]);
      button.type = "button";
      button.addEventListener("click", () => {
        const sign = this.order.column === name ? -this.order.sign
          : ["id", "speaker", "text"].includes(name) ? 1 : -1;
        this.order = { column: name, sign };
        this.sort();
      });
      this.head.append(button);
    }
    this.search.addEventListener("input", () => this.filter());
    this.wrongOnly.addEventListener("change", () => this.filter());
    this.body.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.body);
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.open(Number(row.dataset.place));
    });
    this.body.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.open(Math.min(Math.max(this.current + step, 0), this.visible.length - 1));
    });
    for (const button of this.panel.querySelectorAll(".find")) {
      button.addEventListener("click", () => {
        this.search.value = button.dataset.find;
        this.filter();
        this.section.scrollIntoView({ behavior: "smooth" });
      });
    }
  }

  sort() {
    const { column, sign } = this.order;
    const values = this.data.ids.map((_, i) => this.value(column, i));
    this.sorted = values.map((_, i) => i);
    this.sorted.sort((a, b) => (values[a] < values[b] ? -sign : values[a] > values[b] ? sign : a - b));
    for (const button of this.head.children) {
      button.setAttribute("aria-sort", !button.classList.contains(column) ? "none"
        : sign > 0 ? "ascending" : "descending");
    }
    this.filter();
  }

  filter() {
    const isWanted = this.matcher(this.search.value.trim().toLowerCase());
    const isShown = (i) => (!this.wrongOnly.checked || this.data.errors[i] > 0) && isWanted(i);
    this.visible = this.sorted.filter(isShown);
    const n = this.data.ids.length;
    this.shown.textContent = this.visible.length === n ? `${n.toLocaleString("en")} utterances`
      : `${this.visible.length.toLocaleString("en")} of ${n.toLocaleString("en")} utterances`;
    this.space.style.height = `${this.visible.length * ROW}px`;
    this.current = -1;
    this.body.scrollTop = 0;
    this.draw();
  }

  // Without a query, all; with an arrow, one confusion; else whatever contains the text.
  matcher(query) {
    if (!query) return () => true;
    const { ids, speakers, references, hypotheses } = this.data;
    this.texts ??= ids.map(
      (id, i) => `${id}\n${speakers[i]}\n${references[i]}\n${hypotheses[i]}`.toLowerCase());
    const pair = query.split(/\s*(?:→|->)\s*/);
    if (pair.length !== 2) return (i) => this.texts[i].includes(query);
    const [said, heard] = pair.map((word) => (word === "∅" ? "" : word));
    return (i) => this.texts[i].includes(said) && this.texts[i].includes(heard)
      && steps(this.data, i).some((step) => "SDI".includes(step.mark)
        && step.reference.toLowerCase() === said && step.hypothesis.toLowerCase() === heard);
  }

  draw() {
    const first = Math.max(0, Math.floor(this.body.scrollTop / ROW) - 5);
    const last = Math.min(
      this.visible.length, Math.ceil((this.body.scrollTop + this.body.clientHeight) / ROW) + 5);
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(place));
    this.space.replaceChildren(...rows);
  }

  row(place) {
    const i = this.visible[place];
    const row = make("div", place === this.current ? "row chosen" : "row");
    row.dataset.place = place;
    row.style.transform = `translateY(${place * ROW}px)`;
    for (const name of this.columns) row.append(this.cell(name, i));
    return row;
  }

  cell(name, i) {
    if (name === "text") {
      const cell = make("span", "text");
      cell.dir = "auto";
      if (this.missing.has(i)) cell.append(make("i", "quiet", "no hypothesis"));
      else for (const step of steps(this.data, i)) {
        if (step.mark === "D") cell.append(make("span", "del", "∅"), " ");
        else if (step.mark !== "O") cell.append(make("span", KINDS[step.mark], step.hypothesis), " ");
      }
      return cell;
    }
    const value = this.value(name, i);
    const text = name === "seconds" ? (value < 0 ? "–" : value.toFixed(1))
      : name === "wer" ? (isFinite(value) ? (100 * value).toFixed(0) : "∞") : value;
    return make("span", name, text);
  }

  open(place) {
    if (place < 0 || place >= this.visible.length) return;
    this.current = place;
    const top = place * ROW;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    const below = top + ROW - this.body.clientHeight;
    if (below > this.body.scrollTop) this.body.scrollTop = below;
    this.draw();
    this.show(this.visible[place]);
  }

  async show(i) {
    this.more ??= unpack(this.section.querySelector(".more"));
    const more = await this.more;
    if (this.visible[this.current] !== i) return; // another was opened meanwhile
    const { ids, speakers, errors, words } = this.data;
    const look = make("article", "look");
    const title = make("h3", "", `${ids[i]} `);
    const speaker = speakers[i] ? `speaker ${speakers[i]} · ` : "";
    title.append(make("span", "quiet", `${speaker}${errors[i]} errors in ${words[i]} words`));
    look.append(title, this.pairs(i, more));
    const known = this.panel.querySelector(`.looks .look[data-index="${i}"]`);
    if (known) for (const part of known.querySelectorAll(".rows, audio")) look.append(part.cloneNode(true));
    const address = more.audio?.[i];
    if (address && !look.querySelector("audio")) {
      const audio = make("audio");
      audio.controls = true;
      audio.preload = "none";
      audio.src = address;
      audio.dataset.offset = more.offsets[i];
      look.append(audio);
    }
    this.opened.replaceChildren(look);
  }

  pairs(i, more) {
    const line = make("p", "pairs");
    line.dir = "auto";
    for (const step of steps(this.data, i, more)) {
      const pair = make("span", `pair ${KINDS[step.mark]}`);
      pair.append(make("span", "", step.reference), make("span", "", step.hypothesis));
      if (step.confidence) pair.title = `confidence ${step.confidence} %`;
      if (step.start && more.audio?.[i]) pair.dataset.start = step.start / 100;
      line.append(pair, " ");
    }
    return line;
  }
}

function showPanels() {
  const panels = [...document.querySelectorAll(".panel")];
  const loaded = new Set();
  const show = (chosen) => panels.forEach((panel, i) => {
    panel.hidden = i !== chosen;
    if (i === chosen && !loaded.has(i)) {
      loaded.add(i);
      const listing = new Listing(panel.querySelector(".listing"), panel);
      listing.load().then(() => panel.classList.add("ready"));
    }
  });
  const choice = document.getElementById("choice");
  if (choice) {
    choice.closest(".choice").hidden = false;
    choice.addEventListener("change", () => show(Number(choice.value)));
  }
  show(choice ? Number(choice.value) : 0);
}

// A hint is an element's <title>, which browsers show late and touch screens never.
function showHints() {
  const tip = document.getElementById("tip"), hints = new WeakMap();
  const hinted = (element) => {
    while (element && element.ownerSVGElement) {
      const title = element.querySelector(":scope > title");
      if (title) {
        hints.set(element, title.textContent);
        element.setAttribute("aria-label", title.textContent);
        title.remove(); // else the browser shows it, too
      }
      if (hints.has(element)) return element;
      element = element.parentElement;
    }
    return null;
  };
  document.addEventListener("pointerover", (event) => {
    const element = hinted(event.target);
    tip.hidden = !element;
    if (!element) return;
    tip.textContent = hints.get(element);
    const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX - tip.offsetWidth / 2, most))}px`;
    const above = event.clientY - tip.offsetHeight - 14;
    tip.style.top = `${above > 4 ? above : event.clientY + 18}px`;
  });
  document.addEventListener("scroll", () => { tip.hidden = true; }, true);
}

function playFromWords() {
  document.addEventListener("click", (event) => {
    const word = event.target.closest?.("[data-start]");
    const audio = word?.closest(".look")?.querySelector("audio");
    if (!audio) return;
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    audio.currentTime = Number(audio.dataset.offset) + Number(word.dataset.start);
    audio.play();
  });
  document.addEventListener("timeupdate", (event) => {
    const now = event.target.currentTime - Number(event.target.dataset.offset);
    const look = event.target.closest(".look");
    const words = [...look.querySelectorAll("[data-start]")];
    const begun = words.filter((word) => Number(word.dataset.start) <= now);
    const start = begun.length && !event.target.paused
      ? Math.max(...begun.map((word) => Number(word.dataset.start))) : null;
    for (const word of words) word.classList.toggle("now", Number(word.dataset.start) === start);
  }, true);
}

showPanels();
showHints();
playFromWords();
