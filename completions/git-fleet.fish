# fish completion for git fleet
#
# Tasks are offered by their ids, from the plan's file or the git configuration, and by the branches of the linked
# worktrees.

function __git_fleet_tasks
    if git config fleet.plan >/dev/null 2>&1
        # A plan in a file is read by git fleet itself.
        git fleet plan --json --history=0 2>/dev/null | string match -rg '^      "id": "([^"\\\\]*)",$'
    else
        git config -z --name-only --get-regexp '^fleet\..*\.' 2>/dev/null | string split0 | string replace -r '^fleet\.(.*)\.[^.]*$' '$1' | sort -u
    end
    # The first entry is the main worktree.
    set -l entries 0
    for line in (git worktree list --porcelain 2>/dev/null)
        switch $line
            case 'worktree *'
                set entries (math $entries + 1)
            case 'branch *'
                test $entries -gt 1; and string replace 'branch refs/heads/' '' -- $line
        end
    end
end

function __git_fleet_heads
    git for-each-ref --format='%(refname:short)' refs/heads 2>/dev/null
end

function __git_fleet_gates
    git config -z --name-only --get-regexp '^fleetgate\..*\.command$' 2>/dev/null | string split0 | string replace -r '^fleetgate\.(.*)\.command$' '$1'
end

# True where no command stands on the line yet.
function __git_fleet_needs_command
    set -l words (commandline -opc)
    test (count (string match -v -- '-*' $words)) -le 1
end

# True where the command is one of the arguments.
function __git_fleet_is
    set -l words (string match -v -- '-*' (commandline -opc))
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

set -l commands init plan graph add run stop logs go mark status check review land sync remove clean score undo log doctor path demo help completion

complete -c git-fleet -f
complete -c git-fleet -n __git_fleet_needs_command -l version -d 'Show the version'

complete -c git-fleet -n __git_fleet_needs_command -a init -d 'Start a plan'
complete -c git-fleet -n __git_fleet_needs_command -a plan -d 'Show tasks, waves, overlaps and problems'
complete -c git-fleet -n __git_fleet_needs_command -a graph -d 'Draw the plan'
complete -c git-fleet -n __git_fleet_needs_command -a add -d 'Create branch and worktree of tasks'
complete -c git-fleet -n __git_fleet_needs_command -a run -d 'Start agents in the worktrees of tasks'
complete -c git-fleet -n __git_fleet_needs_command -a stop -d 'End agents that run'
complete -c git-fleet -n __git_fleet_needs_command -a logs -d 'Print what an agent has said'
complete -c git-fleet -n __git_fleet_needs_command -a go -d 'Go through the plan, wave by wave, to its end'
complete -c git-fleet -n __git_fleet_needs_command -a mark -d 'Say how it stands with a task'
complete -c git-fleet -n __git_fleet_needs_command -a status -d 'Show what every task is doing'
complete -c git-fleet -n __git_fleet_needs_command -a check -d 'Find real conflicts and drift'
complete -c git-fleet -n __git_fleet_needs_command -a review -d 'Show what to read before the next branch lands'
complete -c git-fleet -n __git_fleet_needs_command -a land -d 'Merge, test and move the base'
complete -c git-fleet -n __git_fleet_needs_command -a sync -d 'Bring the base into task branches'
complete -c git-fleet -n __git_fleet_needs_command -a remove -d 'Remove worktree and branch of landed tasks'
complete -c git-fleet -n __git_fleet_needs_command -a clean -d 'Remove all that has landed, or empty the trash'
complete -c git-fleet -n __git_fleet_needs_command -a score -d 'Say whether parallel was worth it'
complete -c git-fleet -n __git_fleet_needs_command -a undo -d 'Take an operation back'
complete -c git-fleet -n __git_fleet_needs_command -a log -d 'List the operations'
complete -c git-fleet -n __git_fleet_needs_command -a doctor -d 'Find what is broken'
complete -c git-fleet -n __git_fleet_needs_command -a path -d 'Print the path of a worktree'
complete -c git-fleet -n __git_fleet_needs_command -a demo -d 'Play the whole loop in a repository made for it'
complete -c git-fleet -n __git_fleet_needs_command -a help -d 'Show the manual'
complete -c git-fleet -n __git_fleet_needs_command -a completion -d 'Print the completion file of a shell'

complete -c git-fleet -s h -l help -d 'Show help'
complete -c git-fleet -n "__git_fleet_is $commands" -s q -l quiet -d 'Say only the answer and errors'
complete -c git-fleet -n "__git_fleet_is $commands" -s v -l verbose -d 'Say more'
complete -c git-fleet -n "__git_fleet_is $commands" -l color -x -a 'always never auto' -d 'Colour the output'

complete -c git-fleet -n '__git_fleet_is plan graph add run stop logs go mark status check review land sync remove clean score path' -l plan -r -F -d 'Read this plan'
complete -c git-fleet -n '__git_fleet_is plan go status check review land sync remove clean score log doctor' -l json -d 'Print one JSON object'
complete -c git-fleet -n '__git_fleet_is init plan add run stop go mark review land sync remove clean undo doctor' -s n -l dry-run -d 'Change nothing'

complete -c git-fleet -n '__git_fleet_is init' -l markdown -r -F -d 'Write a Markdown file'
complete -c git-fleet -n '__git_fleet_is init' -l from -r -F -d 'Take the tasks of a plan in another form'
complete -c git-fleet -n '__git_fleet_is init' -l from-issues -r -F -d 'Make a row for each issue'
complete -c git-fleet -n '__git_fleet_is init' -l from-branches -d 'Make a row for each branch'
complete -c git-fleet -n '__git_fleet_is init' -a '(__git_fleet_heads)'

complete -c git-fleet -n '__git_fleet_is plan' -l history -x -d 'Look for couplings in this many commits'
complete -c git-fleet -n '__git_fleet_is plan' -l to -x -a 'markdown config yaml' -d 'Print the plan in this form'
complete -c git-fleet -n '__git_fleet_is plan' -a 'set drop (__git_fleet_tasks)'

complete -c git-fleet -n '__git_fleet_is graph' -l format -x -a 'ascii mermaid dot json svg' -d 'What kind of picture'
complete -c git-fleet -n '__git_fleet_is graph' -s o -l output -r -F -d 'Write it into this file'

complete -c git-fleet -n '__git_fleet_is add' -l ready -d 'Every task that can start'
complete -c git-fleet -n '__git_fleet_is add' -l wave -x -d 'Every task of a wave'
complete -c git-fleet -n '__git_fleet_is add' -l all -d 'Every task'
complete -c git-fleet -n '__git_fleet_is add' -l allow-overlap -d 'Although owned paths overlap'
complete -c git-fleet -n '__git_fleet_is add' -l owns -r -F -d 'Path that a new task owns'
complete -c git-fleet -n '__git_fleet_is add' -l needs -x -a '(__git_fleet_tasks)' -d 'Task that a new task needs'

complete -c git-fleet -n '__git_fleet_is logs' -s f -l follow -d 'Go on with what it says'
complete -c git-fleet -n '__git_fleet_is go' -l review -d 'Land only what was approved'
complete -c git-fleet -n '__git_fleet_is mark review' -s m -l message -x -d 'Say why'
complete -c git-fleet -n '__git_fleet_is mark' -a 'running done stuck approved rejected dropped (__git_fleet_tasks)'

complete -c git-fleet -n '__git_fleet_is plan go status land score' -l wide -d 'Show every column'

complete -c git-fleet -n '__git_fleet_is check' -l refs -x -a '(__git_fleet_heads)' -d 'Check these branches'
complete -c git-fleet -n '__git_fleet_is check' -l onto -x -a '(__git_fleet_heads)' -d 'Take this branch for the base'
complete -c git-fleet -n '__git_fleet_is check' -l committed -d 'Leave uncommitted work out'
complete -c git-fleet -n '__git_fleet_is check' -l hook -r -F -d 'May this file be written here?'
complete -c git-fleet -n '__git_fleet_is check' -l watch -d 'Look again and again'

complete -c git-fleet -n '__git_fleet_is review' -l approve -d 'Say that it may land'
complete -c git-fleet -n '__git_fleet_is review' -l reject -d 'Say that it must not land'
complete -c git-fleet -n '__git_fleet_is review' -s p -l patch -d 'Show its changes, too'

complete -c git-fleet -n '__git_fleet_is land' -l script -d 'Print a shell script'
complete -c git-fleet -n '__git_fleet_is land' -l onto -x -a '(__git_fleet_heads)' -d 'Land on another branch'
complete -c git-fleet -n '__git_fleet_is land' -l gate -x -a '(__git_fleet_gates)' -d 'Run this gate or command instead'
complete -c git-fleet -n '__git_fleet_is land' -l strategy -x -a 'merge squash rebase ff' -d 'How branches become commits'
complete -c git-fleet -n '__git_fleet_is land' -l push -d 'Push the base when all is done'
complete -c git-fleet -n '__git_fleet_is go land' -l no-gate -d 'Run no gates'
complete -c git-fleet -n '__git_fleet_is land' -l keep-going -d 'Go on when a gate throws a branch out'
complete -c git-fleet -n '__git_fleet_is land' -l no-keep-going -d 'End when a gate throws a branch out'
complete -c git-fleet -n '__git_fleet_is land' -l continue -d 'Go on after a conflict was resolved'
complete -c git-fleet -n '__git_fleet_is land' -l skip -d 'Leave the conflicting branch alone'
complete -c git-fleet -n '__git_fleet_is land' -l order -x -a '(__git_fleet_tasks)' -d 'Land these first, in this order'
complete -c git-fleet -n '__git_fleet_is land' -l park -d 'Put the conflicting branch behind the others'
complete -c git-fleet -n '__git_fleet_is sync' -l rebase -d 'Rebase instead of merging'
complete -c git-fleet -n '__git_fleet_is land' -l abort -d 'Give up the rest'

complete -c git-fleet -n '__git_fleet_is clean' -l purge -d 'Delete for good what is in the trash'

complete -c git-fleet -n '__git_fleet_is score' -l since -x -d 'Of all that has landed since then'

complete -c git-fleet -n '__git_fleet_is doctor' -l repair -d 'Do what is safe'

complete -c git-fleet -n '__git_fleet_is log' -s n -x -d 'List at most this many'
complete -c git-fleet -n '__git_fleet_is demo' -l keep -d 'Leave the repository'
complete -c git-fleet -n '__git_fleet_is demo' -a '(__fish_complete_directories)'

complete -c git-fleet -n '__git_fleet_is add run stop logs go check review land sync remove path' -a '(__git_fleet_tasks)' -d Task
complete -c git-fleet -n '__git_fleet_is help' -a "$commands plan-guide tutorial"
complete -c git-fleet -n '__git_fleet_is completion' -a 'bash zsh fish'

# fish 3.6.0 looks for `git git-fleet` where it means `git fleet` (fixed in 3.6.1). Sourced at start-up, this helps there.
function __git_fleet_forwarded
    set -l words (commandline -opc)
    set -e words[1..2]
    complete -C "git-fleet $words "(commandline -ct)
end
complete -c git -f -n 'set -l words (commandline -opc); test "$words[2]" = fleet' -a '(__git_fleet_forwarded)'
