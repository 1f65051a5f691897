// The texts that scripts show. The page puts `texts` before the scripts: key of the catalogue → text with {names} of values.
window.text_of = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
