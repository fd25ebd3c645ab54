"""What programs call: train, try out, infer."""
