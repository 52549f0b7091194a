"""The embedded example: a small CNN trained on handwritten digits, with images, preprocess file and configuration."""
