// <cs-upload data-sending="{name}: {percent} %" data-sent="…" data-failed="…"> around a form with a file input: sends it by XHR to
// show progress and takes the answer as the next page. Files may be dropped. Without JavaScript the form posts as it is.
class Upload extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.form?.querySelector("input[type=file]");
    if (!this.input) return;
    this.form.addEventListener("submit", (event) => this.send(event));
    this.input.addEventListener("change", () => this.name());
    const zone = this.querySelector(".drop") ?? this.form;
    for (const name of ["dragover", "dragleave", "drop"])
      zone.addEventListener(name, (event) => this.drag(event, zone));
  }

  drag(event, zone) {
    event.preventDefault();
    zone.classList.toggle("is-over", event.type === "dragover");
    if (event.type === "drop" && event.dataTransfer.files.length) {
      this.input.files = event.dataTransfer.files;
      this.name();
    }
  }

  name() {
    const list = this.querySelector("[data-files]");
    if (list)
      list.textContent = [...this.input.files]
        .map((file) => `${file.name} (${size(file.size)})`)
        .join(", ");
  }

  send(event) {
    if (![...this.form.querySelectorAll("input[type=file]")].some((input) => input.files.length))
      return;
    event.preventDefault();
    const request = new XMLHttpRequest();
    const bar = this.bar();
    request.upload.onprogress = (sent) => this.show(bar, sent);
    request.onload = () => this.done(request);
    request.onerror = () => this.fail(bar);
    request.open("POST", this.form.action);
    request.setRequestHeader("Accept", "text/html");
    const data = new FormData(this.form);
    if (event.submitter?.name) data.append(event.submitter.name, event.submitter.value);
    request.send(data);
    this.form.setAttribute("aria-busy", "true");
  }

  bar() {
    this.querySelector("[data-bar]")?.remove();
    const box = Object.assign(document.createElement("div"), { className: "progress mt-16" });
    box.dataset.bar = "";
    const bar = Object.assign(document.createElement("progress"), { max: 100, value: 0 });
    bar.setAttribute("aria-label", this.dataset.label ?? "");
    const text = document.createElement("span");
    text.setAttribute("role", "status");
    box.append(bar, text);
    this.append(box);
    return box;
  }

  show(box, { loaded, total }) {
    const percent = total ? Math.floor((100 * loaded) / total) : 0;
    box.firstChild.value = percent;
    const words = percent < 100 ? this.dataset.sending : this.dataset.sent;
    box.lastChild.textContent = (words ?? "{percent} %")
      .replace("{percent}", percent)
      .replace("{size}", size(loaded))
      .replace("{total}", size(total));
  }

  done(request) {
    if (request.responseURL && request.responseURL !== new URL(this.form.action, location).href)
      return location.assign(request.responseURL);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    document.querySelector("main").replaceWith(document.adoptNode(answer.querySelector("main")));
    document.querySelector("[data-focus]")?.focus();
  }

  fail(box) {
    this.form.removeAttribute("aria-busy");
    box.classList.add("danger");
    box.lastChild.textContent = this.dataset.failed ?? "";
  }
}

function size(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

customElements.define("cs-upload", Upload);
