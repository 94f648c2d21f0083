"""Makes the calls of the original's client, without its waits, and prints the accuracies as one JSON document.

Usage: client.py ADDRESS APPLICATION SIGNATURE IMAGES LABELS, in the folder in which everything lies.

Like the original it sends one image a request, without a session: 100 as they are and 50 with uniform noise of up to 1 on
every pixel, reads `class_ids[0][0]` and looks at no status.
"""

import json
import sys

import numpy
import requests

address, application, signature, images_path, labels_path = sys.argv[1:]
images = numpy.fromfile(images_path, dtype="<f4").reshape(-1, 28, 28)
labels = numpy.fromfile(labels_path, dtype="u1")
url = f"{address}/gateway/applications/{application}/{signature}"


def accuracy(images, labels):
    n_right = 0
    for image, label in zip(images, labels):
        answer = requests.post(url, json={"imgs": [image.tolist()]}).json()
        n_right += answer["class_ids"][0][0] == int(label)
    return n_right / len(labels)


noise = numpy.random.default_rng(1).uniform(size=(50, 28, 28))
clean = accuracy(images[:100], labels[:100])
noisy = accuracy(images[100:150].astype("float64") + noise, labels[100:150])
print(json.dumps({"clean": clean, "noisy": noisy}))
