/** Hands on what comes in, however it comes: chosen, dropped anywhere on the page, or pasted. */
export interface Intake {
  takeFiles(files: readonly File[]): void;
  takeAddress(address: string): void;
}

/** Takes the files that are chosen in a file field. */
export function takeChosenFiles(input: HTMLInputElement, { takeFiles }: Pick<Intake, "takeFiles">): void {
  input.addEventListener("change", () => {
    takeFiles([...(input.files ?? [])]);
    input.value = ""; // or choosing the same file again would be no change
  });
}

/** Takes the addresses that are sent with the form. */
export function takeLinks(
  form: HTMLFormElement,
  field: HTMLInputElement,
  { takeAddress }: Pick<Intake, "takeAddress">,
) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    takeAddress(field.value.trim());
    field.value = "";
  });
}

/** Shows `overlay` while files are held over the page. */
export function takeDroppedFiles(overlay: HTMLElement, { takeFiles }: Pick<Intake, "takeFiles">): void {
  let depth = 0; // dragenter and dragleave come for every element on the way
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
    if (holdsFiles(event)) event.preventDefault(); // or the browser would open the photo in the page's place
  });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    takeFiles([...(event.dataTransfer?.files ?? [])]);
  });
}

/** Takes pasted photos anywhere, and a pasted address where it would not go into a field. */
export function takePasted({ takeFiles, takeAddress }: Intake): void {
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    const isInField = event.target instanceof Element && event.target.matches("input, select, textarea");
    if (files.length > 0) {
      event.preventDefault();
      takeFiles(files.map(nameOf));
    } else if (!isInField && URL.canParse(text) && /^https?:/.test(text)) {
      event.preventDefault();
      takeAddress(text);
    }
  });
}

function holdsFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}

/** Browsers call every pasted picture image.png. */
function nameOf(file: File): File {
  if (file.name !== "image.png") return file;
  const time = new Date().toLocaleTimeString("en-GB").replaceAll(":", ".");
  return new File([file], `Pasted ${time}.png`, { type: file.type });
}
