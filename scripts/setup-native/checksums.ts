import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** What a library was built for; one for GPUs also runs without a GPU. */
export type Kind = "gpu" | "cpu";
export type Architecture = "x86_64" | "aarch64";

/** A file that is known by its hash. */
export interface FilePin {
  file: string;
  sha256: string;
  /** Absent for files that could not be fetched when the pins were made. */
  size?: { bytes: number; unpackedBytes: number };
}

export interface LibraryPin extends FilePin {
  kind: Kind;
  architecture: Architecture;
  /** TensorFlow's version. */
  version: string;
}

interface WheelPin extends FilePin {
  /** Name on the package index. */
  package: string;
  version: string;
}

export const defaultVersion = "2.20.0";
export const classicVersion = "2.9.1";

/**
 * Wheels for CPython 3.11; any would do, since only the libraries inside are used. The hashes are the package index's and
 * were checked against the files. 64-bit Arm has one wheel, without GPU support.
 */
export const libraryWheels: readonly (LibraryPin & WheelPin)[] = [
  {
    package: "tensorflow-cpu",
    version: "2.20.0",
    kind: "cpu",
    architecture: "x86_64",
    file: "tensorflow_cpu-2.20.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780",
    size: { bytes: 258_876_263, unpackedBytes: 784_073_719 },
  },
  {
    package: "tensorflow",
    version: "2.20.0",
    kind: "gpu",
    architecture: "x86_64",
    file: "tensorflow-2.20.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "481499fd0f824583de8945be61d5e827898cdaa4f5ea1bc2cc28ca2ccff8229e",
    size: { bytes: 620_570_129, unpackedBytes: 1_277_727_406 },
  },
  {
    package: "tensorflow",
    version: "2.20.0",
    kind: "cpu",
    architecture: "aarch64",
    file: "tensorflow-2.20.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
    sha256: "3e9568c8efcb05c0266be223e3269c62ebf7ad3498f156438311735f6fa5ced5",
    size: { bytes: 259_465_882, unpackedBytes: 938_312_196 },
  },
];

/** The archives that `@tensorflow/tfjs-node-gpu` 4.22.0 fetches by itself, with the hashes that public builds pin (graft, nixpkgs). */
export const classicArchives: readonly LibraryPin[] = [
  {
    version: classicVersion,
    kind: "gpu",
    architecture: "x86_64",
    file: "libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz",
    sha256: "20c46f761d5905f592c4eac0812e8e50d9cb439f9440a9391912cf4c02ed8be8",
  },
  {
    version: classicVersion,
    kind: "cpu",
    architecture: "x86_64",
    file: "libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz",
    sha256: "7f510d2546e3db5e10b1d119463689003d587842892ad3c95bca51cf82820173",
  },
];

/** CUDA 12.5 and cuDNN 9.3: the lowest versions that the wheel of TensorFlow 2.20.0 accepts, and those it was built with. */
export const cudaWheels: readonly WheelPin[] = [
  {
    package: "nvidia-cublas-cu12",
    version: "12.5.3.2",
    file: "nvidia_cublas_cu12-12.5.3.2-py3-none-manylinux2014_x86_64.whl",
    sha256: "ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b",
    size: { bytes: 363_313_169, unpackedBytes: 551_706_504 },
  },
  {
    package: "nvidia-cuda-cupti-cu12",
    version: "12.5.82",
    file: "nvidia_cuda_cupti_cu12-12.5.82-py3-none-manylinux2014_x86_64.whl",
    sha256: "bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953",
    size: { bytes: 13_811_507, unpackedBytes: 43_952_208 },
  },
  {
    package: "nvidia-cuda-nvrtc-cu12",
    version: "12.5.82",
    file: "nvidia_cuda_nvrtc_cu12-12.5.82-py3-none-manylinux2014_x86_64.whl",
    sha256: "3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd",
    size: { bytes: 24_873_108, unpackedBytes: 68_243_664 },
  },
  {
    package: "nvidia-cuda-runtime-cu12",
    version: "12.5.82",
    file: "nvidia_cuda_runtime_cu12-12.5.82-py3-none-manylinux2014_x86_64.whl",
    sha256: "3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115",
    size: { bytes: 895_707, unpackedBytes: 712_032 },
  },
  {
    package: "nvidia-cudnn-cu12",
    version: "9.3.0.75",
    file: "nvidia_cudnn_cu12-9.3.0.75-py3-none-manylinux2014_x86_64.whl",
    sha256: "9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d",
    size: { bytes: 577_163_502, unpackedBytes: 885_338_960 },
  },
  {
    package: "nvidia-cufft-cu12",
    version: "11.2.3.61",
    file: "nvidia_cufft_cu12-11.2.3.61-py3-none-manylinux2014_x86_64.whl",
    sha256: "9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8",
    size: { bytes: 192_524_114, unpackedBytes: 278_929_256 },
  },
  {
    package: "nvidia-curand-cu12",
    version: "10.3.6.82",
    file: "nvidia_curand_cu12-10.3.6.82-py3-none-manylinux2014_x86_64.whl",
    sha256: "2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536",
    size: { bytes: 56_309_107, unpackedBytes: 96_529_840 },
  },
  {
    package: "nvidia-cusolver-cu12",
    version: "11.6.3.83",
    file: "nvidia_cusolver_cu12-11.6.3.83-py3-none-manylinux2014_x86_64.whl",
    sha256: "93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b",
    size: { bytes: 130_341_232, unpackedBytes: 218_141_696 },
  },
  {
    package: "nvidia-cusparse-cu12",
    version: "12.5.1.3",
    file: "nvidia_cusparse_cu12-12.5.1.3-py3-none-manylinux2014_x86_64.whl",
    sha256: "016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752",
    size: { bytes: 217_558_979, unpackedBytes: 295_715_544 },
  },
  {
    package: "nvidia-nccl-cu12",
    version: "2.25.1",
    file: "nvidia_nccl_cu12-2.25.1-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256: "362aed5963fb9ea2ed2f264409baae30143498fd0e5c503aeaa1badd88cdc54a",
    size: { bytes: 201_352_353, unpackedBytes: 271_887_104 },
  },
  {
    package: "nvidia-nvjitlink-cu12",
    version: "12.5.82",
    file: "nvidia_nvjitlink_cu12-12.5.82-py3-none-manylinux2014_x86_64.whl",
    sha256: "f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212",
    size: { bytes: 21_298_879, unpackedBytes: 54_560_656 },
  },
];

/** Computes the SHA-256 of a file of any size, as hex digits. */
export async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal })) hash.update(chunk);
  return hash.digest("hex");
}

/** Throws a sentence if a file is not the one of the pin. */
export async function expectPinned(
  path: string,
  { pin, signal }: { pin: FilePin; signal: AbortSignal },
): Promise<void> {
  const { size } = await stat(path);
  if (pin.size !== undefined && pin.size.bytes !== size)
    throw new Error(`${path}: expected ${pin.size.bytes} bytes for ${pin.file}, found ${size}: fetch it again`);
  const found = await sha256OfFile(path, signal);
  if (found !== pin.sha256)
    throw new Error(
      `${path}: expected sha256 ${pin.sha256} for ${pin.file}, found ${found}: it is not what was pinned`,
    );
}

/** Whether a file is there, and is the one of the pin. */
export async function isPinned(path: string, { pin, signal }: { pin: FilePin; signal: AbortSignal }): Promise<boolean> {
  try {
    await expectPinned(path, { pin, signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
