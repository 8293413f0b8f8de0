/** Ends a caption of low confidence. */
const mark = " (?)";

/** The caption with its mark, for places that have no other for it. */
export function markedCaption({ caption, isUnsure }: { caption: string; isUnsure: boolean }): string {
  return isUnsure ? `${caption}${mark}` : caption;
}

/** A caption as it was before `markedCaption` marked it. */
export function unmarkedCaption(text: string): string {
  return text.endsWith(mark) ? text.slice(0, -mark.length) : text;
}
