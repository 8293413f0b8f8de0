/** Finds an element of that kind. A missing one is a mistake in the HTML. */
export function find<T extends Element>(selector: string, kind: new () => T): T {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`expected a ${kind.name} at ${selector}, found ${element?.tagName ?? "nothing"}`);
}
