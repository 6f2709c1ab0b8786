// Keyboard: / and Ctrl K search, ? the sheet, g + letter goes, j k in lists, n p between open threads, x chooses.
// Keys of a single letter can be switched off (WCAG 2.1.4); the choice is kept in this browser.
const GO = { h: "/", i: "/inbox/" };
const ROOMS = {
  o: "",
  d: "data/",
  s: "samples/",
  r: "runs/",
  v: "reviews/",
  m: "models/",
  a: "activity/",
};
const project = location.pathname.match(/^\/p\/[^/]+\//)?.[0];
let pending = 0;

const single = () => localStorage.getItem("single-keys") !== "off";
const typing = (target) =>
  target.closest?.("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]");

function search() {
  const field = document.querySelector("[data-search]");
  if (field?.offsetParent) {
    field.focus();
    field.select();
  } else location.assign("/search/");
}

function step(selector, direction) {
  const items = [...document.querySelectorAll(selector)].filter((item) => item.offsetParent);
  if (!items.length) return;
  const here = items.findIndex((item) => item.contains(document.activeElement));
  const next = items[Math.max(0, Math.min(items.length - 1, here + direction))];
  const target = next.matches("a, button") ? next : (next.querySelector("a[href], button") ?? next);
  if (target === next && !next.matches("a, button")) next.tabIndex = -1;
  target.focus();
  next.scrollIntoView({ block: "nearest" });
}

// A page that is one of a row (a sample under a filter) names its neighbours in its head.
function turn(rel) {
  const link = document.head.querySelector(`link[rel=${rel}]`);
  if (link) location.assign(link.href);
  return Boolean(link);
}

function go(letter) {
  if (GO[letter]) location.assign(GO[letter]);
  else if (project && letter in ROOMS) location.assign(project + ROOMS[letter]);
}

const ITEMS = ".rows > *, .sample, tbody > tr[data-row]";
const commands = {
  "/": search,
  "?": () => document.getElementById("keys-sheet")?.showModal(),
  j: () => turn("next") || step(ITEMS, 1),
  k: () => turn("prev") || step(ITEMS, -1),
  n: () => step(".thread:not(.thread--resolved)", 1),
  p: () => step(".thread:not(.thread--resolved)", -1),
  x: () =>
    document.activeElement.closest(".sample, tr")?.querySelector("input[type=checkbox]")?.click(),
};

function press(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return search();
  }
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    typing(event.target) ||
    !single() ||
    document.querySelector("dialog[open]")
  )
    return;
  if (Date.now() < pending) {
    pending = 0;
    return go(event.key);
  }
  if (event.key === "g") pending = Date.now() + 1_200;
  else if (commands[event.key]) {
    event.preventDefault();
    commands[event.key]();
  }
}

class Keys extends HTMLElement {
  connectedCallback() {
    document.addEventListener("keydown", press);
    const box = document.querySelector("[data-single-keys]");
    if (!box) return;
    box.checked = single();
    box.addEventListener("change", () =>
      localStorage.setItem("single-keys", box.checked ? "on" : "off"),
    );
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", press);
  }
}

customElements.define("cs-keys", Keys);
