// Play button and play head over a waveform; without JavaScript the browser's own player stands there.
class Audio extends HTMLElement {
  connectedCallback() {
    this.player = this.querySelector("audio");
    this.button = this.querySelector("[data-play]");
    if (!this.player || !this.button) return;
    this.dataset.ready = "";
    this.button.hidden = false;
    this.head = this.querySelector(".wave__head") ?? this.appendChild(Object.assign(document.createElement("span"), { className: "wave__head", hidden: true }));
    this.button.addEventListener("click", () => (this.player.paused ? this.play() : this.player.pause()));
    this.addEventListener("click", (event) => this.seek(event));
    for (const name of ["play", "pause", "ended"]) this.player.addEventListener(name, () => this.show());
  }

  async play() {
    document.querySelectorAll("audio").forEach((other) => other !== this.player && other.pause());
    await this.player.play().catch((error) => this.dispatchEvent(new CustomEvent("cs:error", { bubbles: true, detail: error })));
    this.follow();
  }

  seek(event) {
    if (event.target.closest("button") || !this.player.duration) return;
    const box = this.getBoundingClientRect();
    this.player.currentTime = (this.player.duration * (event.clientX - box.left)) / box.width;
    this.move();
  }

  show() {
    const playing = !this.player.paused && !this.player.ended;
    const use = this.button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, playing ? "#pause" : "#play"));
    const label = playing ? this.button.dataset.pause : this.button.dataset.playLabel;
    this.button.querySelector(".sr").textContent = label;
    this.button.title = label;
    this.head.hidden = this.player.ended;
  }

  move() {
    this.head.style.insetInlineStart = `${(100 * this.player.currentTime) / (this.player.duration || 1)}%`;
  }

  follow() {
    this.move();
    if (!this.player.paused) requestAnimationFrame(() => this.follow());
  }
}

customElements.define("cs-audio", Audio);
