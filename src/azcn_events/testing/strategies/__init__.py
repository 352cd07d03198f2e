"""What Hypothesis draws: values, instances of classes, histories and logs."""
