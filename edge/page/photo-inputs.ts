/** Receiver of photos from all inputs of the page. */
export interface PhotoReceiver {
  addFiles(files: readonly File[]): void;
  addAddress(address: string): void;
}

/** Adds the files that are chosen in a file field. */
export function connectFileField(input: HTMLInputElement, { addFiles }: Pick<PhotoReceiver, "addFiles">): void {
  input.addEventListener("change", () => {
    addFiles([...(input.files ?? [])].map(withTime));
    input.value = ""; // or choosing the same file again would be no change
  });
}

/** Adds the addresses that are submitted with a form. */
export function connectLinkForm(
  form: HTMLFormElement,
  field: HTMLInputElement,
  { addAddress }: Pick<PhotoReceiver, "addAddress">,
): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    addAddress(field.value.trim());
    field.value = "";
  });
}

/** Adds files that are dropped anywhere on the page, and shows `overlay` while they are held over it. */
export function connectDrop(overlay: HTMLElement, { addFiles }: Pick<PhotoReceiver, "addFiles">): void {
  let depth = 0; // dragenter and dragleave fire for every element on the way
  const show = (isShown: boolean) => overlay.classList.toggle("shown", isShown);
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (holdsFiles(event)) depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault(); // or the browser would open the photo instead of the page
  });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    addFiles([...(event.dataTransfer?.files ?? [])]);
  });
}

/** Adds photos that are pasted anywhere, and an address that is not pasted into a field. */
export function connectPaste({ addFiles, addAddress }: PhotoReceiver): void {
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    const isInField = event.target instanceof Element && event.target.matches("input, select, textarea");
    if (files.length > 0) {
      event.preventDefault();
      addFiles(files.map(withTime));
    } else if (!isInField && URL.canParse(text) && /^https?:/.test(text)) {
      event.preventDefault();
      addAddress(text);
    }
  });
}

/** Adds the picture of each clicked button, as a photo to try the page with. */
export function connectSamples(list: HTMLElement, { addFiles }: Pick<PhotoReceiver, "addFiles">): void {
  for (const button of list.querySelectorAll("button")) {
    button.addEventListener("click", async () => {
      const address = button.querySelector("img")?.src ?? "";
      const photo = await (await fetch(address)).blob();
      addFiles([new File([photo], address.slice(address.lastIndexOf("/") + 1), { type: photo.type })]);
    });
  }
}

function holdsFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}

/** Names a picture that was pasted or just taken by the time, since browsers call every one image.png or image.jpg. */
function withTime(file: File): File {
  const [, ending] = /^image\.(png|jpe?g|heic)$/i.exec(file.name) ?? [];
  if (ending === undefined) return file;
  const time = new Date().toLocaleTimeString("en-GB").replaceAll(":", ".");
  return new File([file], `${ending === "png" ? "Pasted" : "Taken"} ${time}.${ending}`, { type: file.type });
}
