"""Train the model that `ipudebug demo` carries. Not needed to run anything: its output is part of the package.

Needs scikit-learn and torch 2.13 besides ipudebug (the committed files were made with torch 2.13.0 for the CPU,
scikit-learn 1.9.1, pillow 13.0.0 and numpy 2.4.6), and a few minutes on one core:

    pip install -e . scikit-learn torch==2.13.0
    python examples/01_find_the_layer/train.py

Writes model.onnx and images/ into ipudebug/demo, or into the folder given, and prints the accuracy on drawings of 500
digits that training never saw. Seeds are fixed and one thread is used: a second run gives the same bytes on the same
machine with the same versions.
"""

import io
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from digits import SEED, draw_digit, split_digits
from network import DigitNet, build_model
from torch import nn

from ipudebug import demo
from ipudebug.demo.preprocess import image_preprocess

EPOCHS = 16
PICTURES_PER_DIGIT = 6
TEST_PICTURES_PER_DIGIT = 4  # one drawing of 500 digits says 99.6 % or 100 %, as luck has it
BATCH = 64
SAMPLES = (0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9)  # labels of the images that come with the package


def main() -> None:
    """Train, write the model and the sample images, and print the accuracy."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(demo.__file__).parent
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    train, held_out, train_labels, held_out_labels = split_digits()

    pictures = [encode_picture(digit, rng) for digit in np.repeat(train, PICTURES_PER_DIGIT, axis=0)]
    net = train_net(to_batch(pictures), torch.from_numpy(np.repeat(train_labels, PICTURES_PER_DIGIT)))
    model = build_model(net)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))

    pictures = [encode_picture(digit, rng) for _ in range(TEST_PICTURES_PER_DIGIT) for digit in held_out]
    labels = np.tile(held_out_labels, TEST_PICTURES_PER_DIGIT)
    write_samples(folder / "images", pictures, labels)
    images = to_batch(pictures).numpy()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    print(f"{model.ByteSize()} bytes, {len(model.graph.node)} nodes")
    print(f"accuracy on {len(images)} pictures of {len(held_out)} held-out digits: ", end="")
    print(f"{measure_accuracy(session, images, labels):.2%}")
    print(f"the same fed with BGR: {measure_accuracy(session, images[:, ::-1], labels):.2%}")


def encode_picture(digit: np.ndarray, rng: np.random.Generator) -> bytes:
    """Return a drawn digit as a PNG file's bytes."""
    file = io.BytesIO()
    draw_digit(digit, rng).save(file, "PNG", optimize=True)
    return file.getvalue()


def to_batch(pictures: list[bytes]) -> torch.Tensor:
    """Return PNG files as the model sees them, through the example's own preprocess.py: [N, 3, 32, 32] float32."""
    batch = np.concatenate([image_preprocess(io.BytesIO(picture)) for picture in pictures])
    return torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))


def train_net(images: torch.Tensor, labels: torch.Tensor) -> DigitNet:
    """Return a network trained on the images, [N, 3, 32, 32] float32, and their labels."""
    net = DigitNet()
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps)
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = nn.functional.cross_entropy(net(images[chosen]), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch:2} of {EPOCHS}: loss {total / len(images):.4f}", file=sys.stderr)
    return net


def write_samples(folder: Path, pictures: list[bytes], labels: np.ndarray) -> None:
    """Write the first held-out digits with the labels of SAMPLES, as digit_<label>_<a, b ...>.png."""
    unused = {label: iter(np.flatnonzero(labels == label)) for label in set(SAMPLES)}
    for number, label in enumerate(SAMPLES):
        letter = "abc"[SAMPLES[:number].count(label)]
        (folder / f"digit_{label}_{letter}.png").write_bytes(pictures[next(unused[label])])


def measure_accuracy(session: onnxruntime.InferenceSession, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images, [N, 3, 32, 32], whose most probable class is their label."""
    found = [session.run(None, {"image": np.ascontiguousarray(image[np.newaxis])})[0].argmax() for image in images]
    return float(np.mean(np.array(found) == labels))


if __name__ == "__main__":
    main()
