// Play button and play head over a waveform; without JavaScript the browser's own player stands there.
class Audio extends HTMLElement {
  static observedAttributes = ["data-ready"];

  connectedCallback() {
    this.setUp();
    this.addEventListener("click", (event) => this.seek(event));
  }

  // A morph brings the server's form of the element back: without data-ready, the button hidden, the play head gone.
  attributeChangedCallback(_name, _old, value) {
    if (value === null) requestAnimationFrame(() => this.isConnected && this.setUp());
  }

  setUp() {
    const player = this.querySelector("audio");
    const button = this.querySelector("[data-play]");
    if (!player || !button) return;
    button.hidden = false;
    this.head =
      this.querySelector(".wave__head") ??
      this.appendChild(
        Object.assign(document.createElement("span"), { className: "wave__head", hidden: true }),
      );
    if (button !== this.button)
      button.addEventListener("click", () =>
        this.player.paused ? this.play() : this.player.pause(),
      );
    if (player !== this.player)
      for (const name of ["play", "pause", "ended"])
        player.addEventListener(name, () => this.show());
    this.button = button;
    this.player = player;
    this.dataset.ready = "";
  }

  async play() {
    document.querySelectorAll("audio").forEach((other) => other !== this.player && other.pause());
    await this.player
      .play()
      .catch((error) =>
        this.dispatchEvent(new CustomEvent("cs:error", { bubbles: true, detail: error })),
      );
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
