"""Shows turns to programs: FastAPI routes over the pipeline's events. No gradio."""
