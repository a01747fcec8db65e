# shellcheck shell=bash
# Functions for postInstall. What is not as the real ones want it ends the build.

# installManPage PAGE.SECTION...
installManPage() {
  local page section
  for page in "$@"; do
    section=${page##*.}
    if [[ $section != [1-9] ]]; then
      echo "installManPage: path missing manpage section suffix: $page" >&2
      return 1
    fi
    install -D --mode=644 --target-directory="$out/share/man/man$section" -- "$page"
  done
}

# installShellCompletion --cmd NAME {--bash|--fish|--zsh FILE}...
installShellCompletion() {
  local name='' to
  while [[ $# != 0 ]]; do
    case $1 in
    --cmd) name=$2 ;;
    --bash) to=bash-completion/completions/$name.bash ;;
    --fish) to=fish/vendor_completions.d/$name.fish ;;
    --zsh) to=zsh/site-functions/_$name ;;
    *)
      echo "installShellCompletion: the stub does not know $1" >&2
      return 1
      ;;
    esac
    if [[ $1 != --cmd ]]; then
      install -D --mode=644 --no-target-directory -- "$2" "$out/share/$to"
      if [[ ! -s $out/share/$to ]]; then
        echo "installShellCompletion: installed shell completion file '$out/share/$to' does not exist or has zero size" >&2
        return 1
      fi
    fi
    shift 2
  done
}
