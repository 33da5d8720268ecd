"""How good suggestions are: a real worker asked at fixed cursors in packages that no model was trained on."""
