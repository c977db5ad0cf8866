"""The commands of the command line, one file each; `common` has the code that several of them use.

The modules, by what they are for:

    the server          serve, doctor, setup, sandbox
    conversations       talk, ask
    the platform        say, narrate, voices, image, music, video, batch, files, tasks
    help of many        common, platform, interruptible, outcome, own_stderr, stdin, progress, table
    a port, a machine   free_port, foreign_packages, health
    doctor              checks, account_check, redis_check
    setup               setup_voice, fetching_wheels
    say                 speaking, said_file, say_mp3, subtitle_files
    narrate             chapters, epub, narrating
    voices              voice_making, voice_records
    video               film_orders
    batch               batch_questions, batch_files
    what is paid for    answered, task_kinds, sources, kept, naming, same_file
    --set, --dry-run    extra, dry_run
"""
