// Files that were dropped or chosen, with the folders they are in. Hidden ones are left out.

function isHidden(path) {
  return path.split("/").some((name) => name.startsWith("."));
}

/** What an input has, by name. */
export async function picked(files) {
  const all = [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return all.filter(({ path }) => !isHidden(path));
}

/** What was dropped; of folders all that is in them. */
export function dropped(transfer) {
  // The list is empty after the event, so everything is taken out of it at once.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return picked(transfer.files);
  return Promise.all(entries.map(inside)).then((lists) => lists.flat());
}

async function inside(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (isHidden(path)) return [];
  if (entry.isFile) return [{ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // It gives a hundred at a time.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    for (const one of some) found.push(...(await inside(one)));
  }
  return found;
}
