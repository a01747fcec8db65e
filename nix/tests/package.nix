# What the package has beside the program, where it could be made: a page for each verb, and completions.
{
  lib,
  runCommand,
  stdenv,
  buildproxy,
}:
runCommand "check-package" { } ''
  [[ -x ${lib.getExe buildproxy} ]]
  cd ${buildproxy}

  ${lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    echo "pages, be they compressed or not"
    for page in buildproxy buildproxy-capture buildproxy-replay; do
      cat share/man/man1/$page.1* >/dev/null
    done

    echo "completions"
    for file in bash-completion/completions/buildproxy.bash fish/vendor_completions.d/buildproxy.fish zsh/site-functions/_buildproxy; do
      grep -q capture share/$file
    done
  ''}
  touch $out
''
