// <cs-mention data-url="/p/x/people.json" data-none="…"><textarea …></textarea></cs-mention>: @ opens a list (APG combobox).
// The address answers [{"handle": "lin", "name": "Lin Mei", "note": "Speech"}]; the chosen handle is written as @lin.
class Mention extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("textarea, input");
    if (!this.field || this.list) return;
    this.list = Object.assign(document.createElement("ul"), {
      className: "menu__panel mention",
      hidden: true,
      id: `${this.field.id}-people`,
    });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.dataset.label ?? "@");
    this.append(this.list);
    this.field.setAttribute("aria-controls", this.list.id);
    this.field.setAttribute("aria-autocomplete", "list");
    this.field.addEventListener("input", () => this.suggest());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.take(event.target.closest("li"));
    });
  }

  async people() {
    this.loaded ??= fetch(this.dataset.url, { credentials: "same-origin" }).then((answer) =>
      answer.ok ? answer.json() : [],
    );
    return this.loaded;
  }

  async suggest() {
    const word = this.field.value.slice(0, this.field.selectionStart).match(/(?:^|\s)@(\S*)$/)?.[1];
    if (word === undefined) return this.close();
    const asked = word.toLowerCase();
    const found = (await this.people())
      .filter((one) => `${one.handle} ${one.name}`.toLowerCase().includes(asked))
      .slice(0, 8);
    this.list.replaceChildren(...found.map((one, index) => this.option(one, index)));
    this.list.hidden = !found.length;
    this.at = 0;
    this.mark();
  }

  option(one, index) {
    const item = Object.assign(document.createElement("li"), {
      className: "menu__item",
      id: `${this.list.id}-${index}`,
    });
    item.setAttribute("role", "option");
    item.dataset.handle = one.handle;
    const name = Object.assign(document.createElement("b"), { textContent: one.name });
    const note = Object.assign(document.createElement("span"), {
      textContent: one.note ?? "",
      className: "muted",
    });
    item.append(name, note);
    return item;
  }

  key(event) {
    if (this.list.hidden) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) this.at = (this.at + move + this.list.children.length) % this.list.children.length;
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.list.children[this.at]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, index) =>
      item.setAttribute("aria-selected", index === this.at),
    );
    const chosen = this.list.hidden ? null : this.list.children[this.at];
    if (chosen) this.field.setAttribute("aria-activedescendant", chosen.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  take(item) {
    if (!item) return;
    const end = this.field.selectionStart;
    const start = this.field.value.lastIndexOf("@", end - 1);
    this.field.setRangeText(`@${item.dataset.handle} `, start, end, "end");
    this.close();
  }

  close() {
    this.list.hidden = true;
    this.mark();
  }
}

customElements.define("cs-mention", Mention);
