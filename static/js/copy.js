// A button that copies data-text and says so.
import { announce } from "cs/page";

class Copy extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", async (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      await navigator.clipboard.writeText(this.dataset.text || location.href);
      announce(this.dataset.done);
      const label = button.querySelector("span");
      const before = label.textContent;
      label.textContent = this.dataset.done;
      setTimeout(() => (label.textContent = before), 1500);
    });
  }
}

customElements.define("cs-copy", Copy);
