// Loads what this page needs: an element's module comes only where the element stands.
import "cs/page";

const modules = {
  "cs-theme": () => import("cs/theme"),
  "cs-keys": () => import("cs/keys"),
  "cs-live": () => import("cs/live"),
  "cs-copy": () => import("cs/copy"),
  "cs-audio": () => import("cs/audio"),
  "cs-upload": () => import("cs/upload"),
  "cs-mention": () => import("cs/mention"),
};

function load(root) {
  for (const [name, fetchModule] of Object.entries(modules)) {
    if (root.querySelector(name)) {
      delete modules[name];
      fetchModule();
    }
  }
}

load(document);
document.addEventListener("htmx:after:swap", () => load(document));
