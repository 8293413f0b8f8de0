import "./without-eval.ts";
import { render } from "lit-html";
import { Announcer } from "./announcer.ts";
import { CaptionQueue } from "./caption-queue.ts";
import { find } from "./find.ts";
import { History } from "./history.ts";
import { JobPanel } from "./job-panel.ts";
import { KeyField } from "./key-field.ts";
import { PageActions } from "./page-actions.ts";
import { connectDrop, connectFileField, connectLinkForm, connectPaste, connectSamples } from "./photo-inputs.ts";
import { connectPreferences } from "./preferences.ts";
import { showConnection, showModel } from "./show-status.ts";
import { Wall } from "./wall.ts";
import { wallView } from "./wall-view.ts";

const announcer = new Announcer({ region: find("#news", HTMLElement), toast: find("#toast", HTMLElement) });
const key = new KeyField({
  label: find("#key-field", HTMLElement),
  input: find("#key", HTMLInputElement),
  requirement: find("#key-requirement", HTMLElement),
  offer: find("#use-key", HTMLButtonElement),
});
const history = new History();
const wall = new Wall();
const queue = new CaptionQueue({ key, wall, history, announcer, preferences: connectPreferences() });
const actions = new PageActions({ wall, queue, history, announcer });

const wallElement = find("#wall", HTMLElement);
const show = () => {
  document.body.classList.toggle("has-photos", wall.photos.length > 0);
  render(wallView(wall, actions), wallElement);
};
wall.onChange(show);

for (const field of ["#choose", "#take"]) connectFileField(find(field, HTMLInputElement), actions);
connectLinkForm(find("#link", HTMLFormElement), find("#address", HTMLInputElement), actions);
connectDrop(find("#drop-overlay", HTMLElement), actions);
connectPaste(actions);
connectSamples(find("#samples", HTMLElement), actions);
showConnection(find("#connection", HTMLElement), { announcer, onChange: show });
void showModel(find("#model", HTMLElement), key);
key.onChange(() => {
  void showModel(find("#model", HTMLElement), key);
  queue.retryRefused();
});
new JobPanel({ element: find("#jobs", HTMLDetailsElement), key, announcer }).load();
void actions.loadHistory(find("#history-note", HTMLElement));
