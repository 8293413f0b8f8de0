/** The mark at the end of a caption of low confidence. */
const mark = " (?)";

/** Adds the mark to an unsure caption, for outputs that cannot mark it otherwise. */
export function markedCaption({ caption, isUnsure }: { caption: string; isUnsure: boolean }): string {
  return isUnsure ? `${caption}${mark}` : caption;
}

/** Removes the mark that `markedCaption` added. */
export function unmarkedCaption(text: string): string {
  return text.endsWith(mark) ? text.slice(0, -mark.length) : text;
}
