import { checkImage } from "./check-image.ts";

checkImage({ dockerfile: "Dockerfile", engine: "tensorflow", limit: 2400 });
