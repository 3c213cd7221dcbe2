"""The proxy: a library that could ship without a window. Never imports Qt."""
