//! `VERIFY.md`: how anyone checks the bundle, first with stock tools, then all of it with `verify.py`.
//!
//! Each block can be pasted into a shell that stands in the bundle's folder; none may end that shell, and each ends with
//! one line that says how it came out.

use super::{Cover, Signed};
use cairn_core::canonical::sha256;

/// The page. Names that other people chose are shown as code, so that they are nothing but text.
pub fn verify_page(cover: &Cover<'_>, signed: &[Signed]) -> String {
    let mut page = format!(
        "# Audit trail of {}\n\nMade {} by {} on the computer of {}. It holds {} entries in {} signed commits.\n\n",
        plain(cover.workspace),
        cover.made_at,
        cover.program,
        plain(cover.exporter),
        cover.all,
        cover.commits
    );
    if let Some(filter) = cover.filter {
        page.push_str(&format!(
            "This is an extract: `trail.csv` and `trail.jsonl` show {} of the {} entries, those that fit `{}`. The signed history is whole.\n\n",
            cover.entries,
            cover.all,
            filter.replace('`', "'")
        ));
    }
    if cover.missing.is_empty() {
        page.push_str("Nothing that this computer knows of is missing.\n\n");
    } else {
        page.push_str("What is missing or does not count:\n\n");
        for line in cover.missing {
            page.push_str(&format!("- {}\n", plain(line)));
        }
        page.push('\n');
    }
    page.push_str(
        "| file | what |\n|---|---|\n| `trail.csv`, `trail.jsonl` | who did what, when, in which role, why, before and after; also what was refused |\n\
         | `statements/` | the exact bytes of every sign-off, and its signature |\n\
         | `policy/` | the release policies and lifecycles, each named by its sha256 |\n\
         | `pages/` | the pages that signers were shown, each named by the sha256 that its statement signs |\n\
         | `repo.bundle` | the signed history itself |\n\
         | `allowed_signers` | the public key of every computer, recovery key and earlier key |\n\
         | `bundle.json` | what was exported: by whom, up to which commits, by which filter |\n\
         | `manifest.sha256`, `manifest.sha256.sig` | the digest of every file, signed by the computer that exported |\n\
         | `verify.py` | checks all of it |\n\n",
    );
    page.push_str(&format!(
        "## The whole check\n\nAsk somebody of the workspace, by another way than this bundle, for the workspace's fingerprint (`cairn status`). \
         It is the sha256 of the workspace's first commit, and everything hangs on it. Then, with Python 3.9 or later, `git` and `ssh-keygen`:\n\n\
         ```text\npython3 verify.py FINGERPRINT\n```\n\n\
         The last line says `VERIFIED` or `NOT VERIFIED`. The program works every entry out again from the signed commits; it runs nothing of \
         this bundle and writes nothing here. `verify.py` is the same in every bundle of a release; its sha256 must be the one in the \
         documentation of {}:\n\n```text\n{}  verify.py\n```\n\n",
        cover.program,
        sha256(super::VERIFY_PY.as_bytes())
    ));
    page.push_str(&format!(
        "## By hand\n\nWith `sha256sum`, `git` (2.34 or later) and `ssh-keygen` alone. Stand in this folder and paste. These lines find damage and \
         wrong signatures; only the whole check finds what was left out.\n\n\
         Every file is as it was written, and the list of files is signed:\n\n```sh\n\
         sha256sum --check --quiet manifest.sha256 && ssh-keygen -Y verify -f allowed_signers -I {}@cairn.invalid -n bundle@cairn -s manifest.sha256.sig < manifest.sha256 > /dev/null && echo 'GOOD: the files' || {{ echo 'BAD: the files'; false; }}\n```\n\n\
         The history is complete and well formed:\n\n```sh\n\
         scratch=$(mktemp -d) && git init --quiet --bare \"$scratch/repo.git\" && git -C \"$scratch/repo.git\" fetch --quiet \"$PWD/repo.bundle\" 'refs/*:refs/*' && git -C \"$scratch/repo.git\" symbolic-ref HEAD refs/heads/cairn/log/{} && git -C \"$scratch/repo.git\" fsck --strict --no-progress && echo 'GOOD: the history' || {{ echo 'BAD: the history'; false; }}\n```\n\n\
         Every commit is signed by a computer that the history names:\n\n```sh\n\
         wrong=0; for c in $(git -C \"$scratch/repo.git\" rev-list --all); do git -C \"$scratch/repo.git\" -c gpg.ssh.allowedSignersFile=\"$PWD/allowed_signers\" verify-commit \"$c\" 2> /dev/null || wrong=$((wrong + 1)); done\n\
         [ \"$wrong\" = 0 ] && echo 'GOOD: the signatures of the commits' || {{ echo \"BAD: $wrong commits are not signed by a computer of the list\"; false; }}\n```\n",
        cover.device, cover.device
    ));
    if cover.pages > 0 {
        page.push_str(
            "\nEvery page in `pages/` is the one whose digest a statement signs, in `predicate.shown`. A page is what the signer's own program \
             kept; open it without scripts and without a network:\n\n```sh\nwrong=0\n\
             for f in pages/*.html; do d=$(basename \"$f\" .html); [ \"$(sha256sum < \"$f\" | cut -c 1-64)\" = \"$d\" ] && grep -l -F \"$d\" statements/*.json > /dev/null || wrong=$((wrong + 1)); done\n\
             [ \"$wrong\" = 0 ] && echo 'GOOD: the pages' || { echo \"BAD: $wrong pages\"; false; }\n```\n",
        );
    }
    if signed.is_empty() {
        page.push_str("\nNobody has signed off a release yet.\n");
    } else {
        page.push_str("\nEvery sign-off was signed by the person it names:\n\n```sh\nwrong=0\n");
        for s in signed {
            page.push_str(&format!(
                "ssh-keygen -Y verify -f allowed_signers -I {} -n approval@cairn -s statements/{n}.json.sig < statements/{n}.json > /dev/null || wrong=$((wrong + 1))\n",
                s.member,
                n = s.name
            ));
        }
        page.push_str("[ \"$wrong\" = 0 ] && echo 'GOOD: the sign-offs' || { echo \"BAD: $wrong sign-offs\"; false; }\n```\n");
    }
    page.push_str("\nAll of it, against the fingerprint that you were told:\n\n```text\npython3 verify.py FINGERPRINT\n```\n");
    page.push_str(
        "\nA signature says who and what, not when: the times are the signers' own claims. The order is proven by the history, because each \
         commit names the commits its author knew; `witnessed_at` is what the first other computer claimed that wrote in knowledge of an entry.\n",
    );
    page
}

/// A name that cannot begin a line, a link or a mark of Markdown.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_control() {
            out.push(' ');
        } else {
            if matches!(letter, '`' | '*' | '_' | '[' | ']' | '<' | '>' | '\\' | '|' | '#' | '!') {
                out.push('\\');
            }
            out.push(letter);
        }
    }
    out
}
