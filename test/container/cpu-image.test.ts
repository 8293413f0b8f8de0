import { checkImage } from "./check-image.ts";

checkImage({ dockerfile: "Dockerfile.cpu", engine: "onnx", limit: 600 });
