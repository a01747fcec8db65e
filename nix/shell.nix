# For working on buildproxy itself: what its build needs, and the tools that its gate runs.
{
  mkShell,
  buildproxy,
  clippy,
  nixfmt,
  rust-analyzer,
  rustfmt,
}:

mkShell {
  inputsFrom = [ buildproxy ];
  packages = [
    clippy
    nixfmt
    rust-analyzer
    rustfmt
  ];
}
