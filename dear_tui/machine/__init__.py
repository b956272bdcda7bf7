"""The processor and the GPUs of this machine."""
