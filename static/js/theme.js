// Light, dark, as the system: kept in a cookie, so the server draws the next page in it at once.
import { announce } from "cs/page";

const YEAR = 31_536_000;
const order = ["light", "dark", "system"];

function current() {
  return document.documentElement.dataset.theme ?? "system";
}

export function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.cookie = `theme=${theme};path=/;max-age=${YEAR};samesite=lax`;
  document
    .querySelectorAll("[data-theme-choice]")
    .forEach((button) => button.setAttribute("aria-pressed", button.dataset.themeChoice === theme));
}

class Theme extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const theme =
        button.dataset.themeChoice ?? order[(order.indexOf(current()) + 1) % order.length];
      choose(theme);
      announce(this.dataset[theme] ?? "");
    });
    this.querySelectorAll("[data-theme-choice]").forEach((button) =>
      button.setAttribute("aria-pressed", button.dataset.themeChoice === current()),
    );
  }
}

customElements.define("cs-theme", Theme);
