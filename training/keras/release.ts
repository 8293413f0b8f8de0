/** A file of InceptionV3's ImageNet weights as Keras publishes it. */
export interface KerasRelease {
  file: string;
  bytes: number;
  sha256: string;
}

/** Address from which Keras 2 and 3 fetch them: keras `src/applications/inception_v3.py`. */
export const releaseAddress = "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3";

/**
 * The release without the classifier, which is enough. Two projects, GoMLX and DARPA's D3M primitives, each pin these
 * hashes for these files; Keras pins their MD5, bcbd6486424b2319ff4ef7d526e38f63 and 9a0d58056eeedaa3f26cb7ebd46da564.
 */
export const encoderRelease: KerasRelease = {
  file: "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
  bytes: 87_910_968,
  sha256: "9617109a16463f250180008f9818336b767bdf5164315e8cd5761a8c34caa62a",
};

const classifierRelease: KerasRelease = {
  file: "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
  bytes: 96_112_376,
  sha256: "00c9ea4e4762f716ac4d300d6d9c2935639cc5e4d139b5790d765dcbeea539d0",
};

/** Returns the release that a file is; undefined for any other file. */
export function releaseOf(sha256: string): KerasRelease | undefined {
  return [encoderRelease, classifierRelease].find((release) => release.sha256 === sha256);
}
