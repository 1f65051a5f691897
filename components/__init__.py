"""Shows turns to people. The only place that imports gradio."""
