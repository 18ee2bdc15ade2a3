// A list of texts in one text field, a line for each. A line that begins with two blanks goes on with the one before.

const MORE = "\n  ";

export function written(texts) {
  return texts.map((text) => text.replaceAll("\n", MORE)).join("\n");
}

export function readTexts(text) {
  return text.split(/\n(?! {2})/).map((one) => one.replaceAll(MORE, "\n")).filter((one) => one.trim() !== "");
}

/** Whether the texts come back as they were. */
export function survives(texts, text) {
  const back = readTexts(text);
  return back.length === texts.length && back.every((one, index) => one === texts[index]);
}
