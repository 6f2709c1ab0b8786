// The live pill: hears the stream and tells the page. An event about run 31 becomes the DOM events live-run-31 and live-run on
// <body>; an event of a job becomes live-job-<id>; every event becomes live-any, and live-connected comes first:
// what waits for an end asks once more, since that may have come while the page was on its way. Regions made by {% live_region %} listen to them.
// Where there is no stream (a proxy that cuts it, JavaScript of an old browser), live-any is sent every few seconds instead.
const POLL = 3_000;
const POLL_MOST = 30_000;
const script = document.querySelector("script[data-live-worker]");
const here = new Set();
let paused = false;

// A page may show the pill twice, in the rail and beside what moves: one of them tells the page, and Pause holds for all.
class Live extends HTMLElement {
  connectedCallback() {
    if (this.started) return;
    here.add(this);
    this.started = Date.now();
    this.heard = Date.now();
    const project = this.dataset.project
      ? `?project=${encodeURIComponent(this.dataset.project)}`
      : "";
    this.url = new URL((this.dataset.url || "/live/") + project, location).href;
    this.addEventListener("click", (event) => event.target.closest("[data-pause]") && toggle());
    this.show();
    this.ticker = setInterval(() => this.show(), 1_000);
    this.connect();
  }

  disconnectedCallback() {
    here.delete(this);
    clearInterval(this.ticker);
    clearTimeout(this.poller);
    this.channel?.close();
    this.stop?.();
    this.started = 0;
  }

  async connect() {
    const take = (message) => this.take(message);
    try {
      this.channel = new BroadcastChannel("cs-live");
      this.channel.onmessage = ({ data }) => data.url === this.url && take(data);
      const worker = new SharedWorker(script.dataset.liveWorker, {
        type: "module",
        name: "cs-live",
      });
      worker.port.start();
      worker.port.postMessage({ url: this.url });
      worker.onerror = () => this.alone(take);
    } catch {
      this.alone(take);
    }
  }

  async alone(take) {
    const { listen } = await import("cs/live-stream");
    this.stop = listen(this.url, take, () => this.poll(POLL));
  }

  take(message) {
    this.heard = Date.now();
    if (message.name === "refused") return this.poll(POLL);
    this.lost = message.name === "lost";
    if (message.name !== "event" || paused) return;
    if (message.event === "reload") return this.send("any", message);
    if (message.event === "hello") return this.send("connected", message);
    for (const topic of topics(message)) this.send(topic, message);
  }

  send(topic, message) {
    if (this !== here.values().next().value) return;
    document.body.dispatchEvent(new CustomEvent(`live-${topic}`, { detail: message }));
  }

  poll(wait) {
    this.poller = setTimeout(() => {
      if (!document.hidden && !paused) this.send("any", {});
      this.poll(document.hidden ? Math.min(2 * wait, POLL_MOST) : POLL);
    }, wait);
  }

  show() {
    const seconds = Math.round((Date.now() - this.heard) / 1_000);
    const pill = this.querySelector("[data-pill]");
    const tone = this.lost ? "warning" : paused ? "plain" : "success";
    pill.className = `pill tone-${tone}`;
    const age =
      seconds < 60
        ? this.dataset.seconds.replace("{n}", seconds)
        : this.dataset.minutes.replace("{n}", Math.round(seconds / 60));
    const text = this.lost
      ? this.dataset.offline
      : paused
        ? this.dataset.paused
        : `${this.dataset.live}, ${age}`;
    this.querySelector("[data-text]").textContent = text;
    this.mark(this.querySelector("[data-pause]"));
  }

  // Each time, since a morph brings the server's form of the button back.
  mark(button) {
    const [use, label] = [button.querySelector("use"), button.querySelector("span")];
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, paused ? "#play" : "#pause"));
    label.textContent = paused ? this.dataset.resume : this.dataset.pause;
    button.hidden = false;
  }
}

function toggle() {
  paused = !paused;
  for (const pill of here) pill.show();
  if (!paused) here.values().next().value.send("any", {});
}

export function topics({ event, data }) {
  const found = ["any", event.replace(/\W+/g, "-")];
  if (data.target_type) found.push(data.target_type, `${data.target_type}-${data.target_id}`);
  if (data.job) found.push(`job-${data.job}`);
  return [...new Set(found)];
}

customElements.define("cs-live", Live);
