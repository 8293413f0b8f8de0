import type { Markup } from "../../shared/html.ts";

/** A part of the page, with its place in the contents. */
export interface Section {
  /** Of its address within the page. */
  id: string;
  title: string;
  body: Markup;
}
