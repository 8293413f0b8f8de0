/**
 * Disables ONNX Runtime's telemetry for the sessions that this process creates later: from 1.29 on its builds for Linux and
 * macOS report models, sessions and the machine, under an id in the user's cache folder.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";
