// Small helpers around the document. Whatever text comes in is a text node, and never markup.

export const at = (id) => document.getElementById(id);

/** An element with these properties and children; strings become text nodes, and what is null is left out. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child != null));
  return element;
}

export function button(text, press, properties = {}) {
  const made = make("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", press);
  return made;
}

/** A labelled control. */
export function field(text, control, help) {
  return make("label", { className: "field" }, make("span", { className: "name" }, text), control, help && make("small", {}, help));
}

/** Asks before something is lost. Resolves to whether to go on. */
export function sure(question, verb) {
  const dialog = make("dialog", { ariaLabel: question });
  return new Promise((resolve) => {
    const end = (answer) => () => {
      resolve(answer);
      dialog.remove();
    };
    dialog.append(make("p", {}, question), make("div", { className: "row" }, button(verb, end(true)), button("Keep it", end(false), { autofocus: true })));
    // Escape.
    dialog.addEventListener("close", end(false));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Offers text as a file. */
export function download(name, text, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** `count` things, in words. */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
