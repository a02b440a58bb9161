# bash completion for git fleet
#
# git's own completion calls _git_fleet for `git fleet` and for aliases of it. Tasks are offered by their ids, from the
# plan's file or the git configuration, and by the branches of the linked worktrees.
#
# cur, prev, words and cword are set by git's completion.
# shellcheck disable=SC2154

__git_fleet_commands="init plan graph add run stop logs go mark status check review land sync remove clean score undo log doctor path demo help completion"

# 1: command; prints its options, those that take a value with `=`
__git_fleet_options ()
{
	local common="--help --quiet --verbose --color="
	case "$1" in
	"") echo "--help --version" ;;
	init) echo "--markdown= --from= --from-issues= --from-branches --dry-run $common" ;;
	plan) echo "--plan= --history= --json --to= --wide --dry-run $common" ;;
	graph) echo "--format= --output= --plan= $common" ;;
	add) echo "--plan= --ready --wave= --all --allow-overlap --owns= --needs= --dry-run $common" ;;
	run | stop) echo "--plan= --dry-run $common" ;;
	logs) echo "--plan= --follow $common" ;;
	go) echo "--plan= --review --no-gate --dry-run --json --wide $common" ;;
	mark) echo "--plan= --message= --dry-run $common" ;;
	status) echo "--plan= --json --wide $common" ;;
	check) echo "--plan= --refs= --onto= --committed --hook= --watch --json $common" ;;
	review) echo "--plan= --approve --reject --message= --patch --dry-run --json $common" ;;
	land) echo "--plan= --dry-run --json --wide --script --onto= --order= --strategy= --push --gate= --no-gate --keep-going --no-keep-going --continue --skip --park --abort $common" ;;
	sync) echo "--plan= --rebase --dry-run --json $common" ;;
	remove) echo "--plan= --dry-run --json $common" ;;
	clean) echo "--plan= --purge --dry-run --json $common" ;;
	score) echo "--plan= --since= --wide --json $common" ;;
	undo) echo "--dry-run $common" ;;
	log) echo "--json -n $common" ;;
	doctor) echo "--repair --dry-run --json $common" ;;
	path) echo "--plan= $common" ;;
	demo) echo "--keep $common" ;;
	*) echo "$common" ;;
	esac
}

# A plan in a file is read by git fleet itself.
__git_fleet_ids ()
{
	local key found=""
	if [ -n "$(__git config fleet.plan)" ]; then
		__git fleet plan --json --history=0 | sed -n 's/^      "id": "\([^"\\]*\)",$/\1/p'
		return
	fi
	while IFS= read -r -d '' key; do
		key=${key#fleet.}
		key=${key%.*}
		case "$found" in
		*$'\n'"$key"$'\n'*) ;;
		*) found="${found:-$'\n'}$key"$'\n' ;;
		esac
	done < <(__git config -z --name-only --get-regexp '^fleet\..*\.')
	echo "${found:1}"
}

__git_fleet_tasks ()
{
	__git_fleet_ids
	# The first entry is the main worktree.
	local line entries=0
	while IFS= read -r line; do
		case "$line" in
		worktree\ *) entries=$((entries + 1)) ;;
		branch\ *) [ "$entries" -lt 2 ] || echo "${line#branch refs/heads/}" ;;
		esac
	done < <(__git worktree list --porcelain)
}

__git_fleet_gates ()
{
	local key
	while IFS= read -r -d '' key; do
		key=${key#fleetgate.}
		echo "${key%.command}"
	done < <(__git config -z --name-only --get-regexp '^fleetgate\..*\.command$')
}

# Prints the command that stands on the line or in the alias. An alias `fs = fleet status` arrives here as `fleet`.
__git_fleet_command ()
{
	local first=${__git_cmd_idx-1} i alias
	if [[ ${COMP_WORDS[first]-} != *fleet ]]; then
		alias=$(__git config --get "alias.${COMP_WORDS[first]}")
		if [[ $alias =~ (^|[[:space:]])(git[ -])?fleet[[:space:]]+([a-z]+) ]]; then
			echo "${BASH_REMATCH[3]}"
			return
		fi
	fi
	for ((i = first + 1; i < cword; i++)); do
		case "${words[i]}" in
		-*) ;;
		*)
			echo "${words[i]}"
			return
			;;
		esac
	done
}

# 1: option, 2: what is typed of its value, 3: command. Fails where files are to be completed.
__git_fleet_value ()
{
	case "$1" in
	--color) __gitcomp "always never auto" "" "$2" ;;
	--format) __gitcomp "ascii mermaid dot json svg" "" "$2" ;;
	--gate) __gitcomp_nl "$(__git_fleet_gates)" "" "$2" ;;
	--needs) __gitcomp_nl "$(__git_fleet_tasks)" "" "$2" ;;
	--onto | --refs) __gitcomp_nl "$(__git_heads)" "" "$2" ;;
	--strategy) __gitcomp "merge squash rebase ff" "" "$2" ;;
	--to) __gitcomp "markdown config yaml" "" "$2" ;;
	esac
}

# The words after `plan`: what to do, the task, the key.
__git_fleet_edit ()
{
	local i past=()
	for ((i = 1; i < cword; i++)); do
		[[ ${words[i]} == -* || ${words[i]} == *fleet ]] || past+=("${words[i]}")
	done
	case "${#past[@]} ${past[1]-}" in
	"1 ") __gitcomp "set drop" ;;
	"2 set" | "2 drop") __gitcomp_nl "$(__git_fleet_tasks)" ;;
	"3 set") __gitcomp "title branch worktree status agent prompt checklist estimate priority owns needs" ;;
	esac
}

# The words after `mark`: the state, the task.
__git_fleet_mark ()
{
	local i count=0
	for ((i = 1; i < cword; i++)); do
		[[ ${words[i]} == -* || ${words[i]} == *fleet || ${words[i]} == mark ]] || count=$((count + 1))
	done
	case "$count" in
	0) __gitcomp "running done stuck approved rejected dropped" ;;
	1) __gitcomp_nl "$(__git_fleet_tasks)" ;;
	esac
}

_git_fleet ()
{
	local command
	command=$(__git_fleet_command)

	case "$prev" in
	--color | --format | --from | --from-issues | --gate | --history | --hook | --markdown | --message | --needs | --onto | --owns | --output | --plan | --refs | --since | --strategy | --to | --wave | -m | -n | -o)
		__git_fleet_value "$prev" "$cur"
		return
		;;
	esac
	case "$cur" in
	--*=*)
		__git_fleet_value "${cur%%=*}" "${cur#*=}"
		return
		;;
	-*)
		__gitcomp "$(__git_fleet_options "$command")"
		return
		;;
	esac
	case "$command" in
	"") __gitcomp "$__git_fleet_commands" ;;
	add | run | stop | logs | go | check | review | land | sync | remove | path) __gitcomp_nl "$(__git_fleet_tasks)" ;;
	init) __gitcomp_nl "$(__git_heads)" ;;
	plan) __git_fleet_edit ;;
	mark) __git_fleet_mark ;;
	help) __gitcomp "$__git_fleet_commands plan-guide tutorial" ;;
	completion) __gitcomp "bash zsh fish" ;;
	esac
}

# `git-fleet <TAB>` may come before any `git <TAB>` has loaded git's own completion.
if ! declare -F __git_complete >/dev/null; then
	if declare -F _completion_loader >/dev/null; then
		_completion_loader git
	elif declare -F _comp_load >/dev/null; then
		_comp_load git
	fi
	if ! declare -F __git_complete >/dev/null; then
		for __git_fleet_file in /usr/share/bash-completion/completions/git /usr/share/git/completion/git-completion.bash; do
			if [ -r "$__git_fleet_file" ]; then
				# shellcheck disable=SC1090
				. "$__git_fleet_file"
				break
			fi
		done
		unset __git_fleet_file
	fi
fi
if declare -F __git_complete >/dev/null; then
	__git_complete git-fleet _git_fleet
fi
