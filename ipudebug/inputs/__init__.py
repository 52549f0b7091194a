"""Image -> feed: find the samples, preprocess them, fit them to a model's inputs."""
