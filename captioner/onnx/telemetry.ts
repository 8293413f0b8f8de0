/**
 * ONNX Runtime's builds for Linux and macOS report to their maker from 1.29 on (models, sessions, the machine), under an id
 * that they keep in the user's cache folder. This switches all of that off for the sessions that this process makes after it.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";
