import { checkImage } from "./check-image.ts";

checkImage({ dockerfile: "Dockerfile.cpu", engine: "onnx", isFallback: false, limit: 560 });
