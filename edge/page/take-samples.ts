import type { Intake } from "./take-photos.ts";

/** Each button's picture is a photo to try the page with. */
export function takeSamples(list: HTMLElement, { takeFiles }: Pick<Intake, "takeFiles">): void {
  for (const button of list.querySelectorAll("button")) {
    button.addEventListener("click", async () => {
      const address = button.querySelector("img")?.src ?? "";
      const photo = await (await fetch(address)).blob();
      takeFiles([new File([photo], address.slice(address.lastIndexOf("/") + 1), { type: photo.type })]);
    });
  }
}
