import "./without-eval.ts";
import { render } from "lit-html";
import { Announcer } from "./announcer.ts";
import { CaptionQueue } from "./caption-queue.ts";
import { connectOptions } from "./connect-options.ts";
import { find } from "./find.ts";
import { History } from "./history.ts";
import { KeyField } from "./key-field.ts";
import { showConnection } from "./show-connection.ts";
import { showModel } from "./show-model.ts";
import { takeChosenFiles, takeDroppedFiles, takeLinks, takePasted } from "./take-photos.ts";
import { takeSamples } from "./take-samples.ts";
import { wallView } from "./view/wall-view.ts";
import { Wall } from "./wall.ts";
import { WallKeeper } from "./wall-keeper.ts";

const announcer = new Announcer({ region: find("#news", HTMLElement), toast: find("#toast", HTMLElement) });
const key = new KeyField(find("#key-field", HTMLElement), find("#key", HTMLInputElement));
const history = new History();
const wall = new Wall();
const queue = new CaptionQueue({ key, wall, history, announcer, preferences: connectOptions() });
const keeper = new WallKeeper({ wall, queue, history, announcer });

const wallElement = find("#wall", HTMLElement);
const show = () => {
  document.body.classList.toggle("has-photos", wall.photos.length > 0);
  render(wallView(wall.photos, keeper), wallElement);
};
wall.onChange(show);

takeChosenFiles(find("#choose", HTMLInputElement), keeper);
takeLinks(find("#link", HTMLFormElement), find("#address", HTMLInputElement), keeper);
takeDroppedFiles(find("#drop-overlay", HTMLElement), keeper);
takePasted(keeper);
takeSamples(find("#samples", HTMLElement), keeper);
showConnection(find("#connection", HTMLElement), { announcer, onChange: show });
void showModel(find("#model", HTMLElement), key);
key.onChange(() => {
  void showModel(find("#model", HTMLElement), key);
  queue.retryRefused();
});
void keeper.hangEarlier(find("#history-note", HTMLElement));
