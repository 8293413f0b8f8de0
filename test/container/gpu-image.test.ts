import { checkImage } from "./check-image.ts";

checkImage({ dockerfile: "Dockerfile", engine: "tensorflow", isFallback: true, limit: 2000 });
