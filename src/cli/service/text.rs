//! What service managers read.

/// A unit for systemd's user manager that runs `command`.
pub fn systemd(command: &[String]) -> String {
    let words: Vec<String> = command.iter().map(|word| systemd_quoted(word)).collect();
    format!(
        "[Unit]\n\
         Description=CoSteer proxy\n\
         After=network.target\n\
         \n\
         [Service]\n\
         ExecStart={}\n\
         Restart=on-failure\n\
         RestartSec=5\n\
         # Running answers get server.drain_ms to end.\n\
         TimeoutStopSec=30\n\
         NoNewPrivileges=yes\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        words.join(" ")
    )
}

/// A word of a command line, in which systemd replaces nothing.
fn systemd_quoted(word: &str) -> String {
    let mut quoted = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '%' | '$' => quoted.extend([character, character]),
            '\n' => quoted.push_str("\\n"),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// An agent for launchd that runs `command`.
pub fn launchd(label: &str, command: &[String]) -> String {
    let words: Vec<String> = command
        .iter()
        .map(|word| format!("        <string>{}</string>\n", htmlize::escape_text(word.as_str())))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n    \
         <key>Label</key>\n    \
         <string>{label}</string>\n    \
         <key>ProgramArguments</key>\n    \
         <array>\n{}    </array>\n    \
         <key>RunAtLoad</key>\n    \
         <true/>\n    \
         <key>KeepAlive</key>\n    \
         <dict>\n        \
         <key>SuccessfulExit</key>\n        \
         <false/>\n    \
         </dict>\n\
         </dict>\n\
         </plist>\n",
        words.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_path_means_anything_to_the_manager() {
        let command = ["/opt/my \"own\" 100% $HOME/costeer".to_owned(), "serve".to_owned()];
        let unit = systemd(&command);
        assert!(
            unit.contains("ExecStart=\"/opt/my \\\"own\\\" 100%% $$HOME/costeer\" \"serve\"\n"),
            "{unit}"
        );
        let plist = launchd("costeer", &["/a & <b>/costeer".to_owned()]);
        assert!(plist.contains("<string>/a &amp; &lt;b&gt;/costeer</string>"), "{plist}");
    }
}
