"""Captions photos as the tutorial does, with Keras: features one photo at a time, then greedy search by padded prefixes.

Arguments: the photos' folder, words in the vocabulary, words of the longest training caption, words of each caption.
Weights are random, since the pretrained ones come from a host of their own: the work is the same, the words are not. So each
caption ends after a given number of words instead of at `endseq`. Prints a line of JSON with seconds.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import numpy as np
from keras.applications.inception_v3 import InceptionV3, preprocess_input
from keras.layers import LSTM, Dense, Dropout, Embedding, Input, add
from keras.models import Model
from keras.preprocessing.image import img_to_array, load_img
from keras.utils import pad_sequences


def define_model(vocab_size, max_length):
    photo = Input(shape=(2048,))
    photo_dense = Dense(256, activation="relu")(Dropout(0.5)(photo))
    words = Input(shape=(max_length,))
    embedded = Embedding(vocab_size, 200, mask_zero=True)(words)
    sequence = LSTM(256)(Dropout(0.5)(embedded))
    decoder = Dense(256, activation="relu")(add([photo_dense, sequence]))
    return Model(inputs=[photo, words], outputs=Dense(vocab_size, activation="softmax")(decoder))


def extract_features(encoder, path):
    image = img_to_array(load_img(path, target_size=(299, 299)))
    return encoder.predict(preprocess_input(np.expand_dims(image, axis=0)), verbose=0)


def generate_caption(model, photo, vocab_size, max_length, words):
    sequence = [1]
    for _ in range(words + 1):  # and endseq
        padded = pad_sequences([sequence], maxlen=max_length)
        best = int(np.argmax(model.predict([photo, padded], verbose=0)))
        sequence.append(max(best, 1))
    return sequence


folder, vocab_size, max_length, words = sys.argv[1], *map(int, sys.argv[2:5])
pretrained = InceptionV3(weights=None)
encoder = Model(inputs=pretrained.inputs, outputs=pretrained.layers[-2].output)
model = define_model(vocab_size, max_length)

begun = time.perf_counter()
features = {name: extract_features(encoder, os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
encoded = time.perf_counter()
for photo in features.values():
    generate_caption(model, photo, vocab_size, max_length, words)
print(json.dumps({"featureSeconds": encoded - begun, "searchSeconds": time.perf_counter() - encoded}))
