"""HTML that panes and dialogs are made of. Pure, without gradio but for `html_elements`."""
