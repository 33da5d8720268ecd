;;; foretype.el --- Ghost text of the next lines of code, from foretype-lsp -*- lexical-binding: t -*-

;; Package-Requires: ((emacs "28.1") (lsp-mode "10.0.0"))
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; An add-on server for lsp-mode: it runs beside a language's own server.
;;
;;   (add-to-list 'load-path "CLONE/editors/emacs")
;;   (require 'foretype)
;;   (add-hook 'prog-mode-hook #'lsp-deferred)
;;
;; lsp-mode waits for lsp-idle-delay and then for lsp-inline-completion-idle-delay, 2.5 s in all, before it asks.
;; foretype-lsp decides by itself when a suggestion pays, so `foretype-ghost-mode' asks after `foretype-idle-delay'.

;;; Code:

(require 'lsp-mode)
(require 'lsp-inline-completion)

(defgroup foretype nil
  "Ghost text of the next lines of code."
  :group 'lsp-mode)

(defcustom foretype-command '("foretype-lsp" "--stdio")
  "The language server and its arguments."
  :type '(repeat string))

(defcustom foretype-modes '(prog-mode text-mode conf-mode)
  "Modes, with those derived from them, in which suggestions are shown."
  :type '(repeat symbol))

(defcustom foretype-options nil
  "Settings as foretype-lsp takes them in initializationOptions, a plist.
For example (:edge (:urls [\"wss://HOST/v1/session\"])).  The token of an edge
belongs into config.toml, where customize does not save it."
  :type 'plist)

(defcustom foretype-idle-delay 0.05
  "Seconds without a key after which the server is asked.
It may wait on for the best moment."
  :type 'number)

(defvar foretype-state "starting"
  "Where suggestions come from: starting, online, local, off or error.")

(defvar-local foretype--timer nil
  "The timer that asks.")

(defun foretype--wanted-p (&rest _)
  "Whether this buffer gets suggestions."
  (apply #'derived-mode-p foretype-modes))

(defun foretype--serves-p ()
  "Whether foretype-lsp serves this buffer."
  (cl-some (lambda (workspace) (eq (lsp--workspace-server-id workspace) 'foretype)) lsp--buffer-workspaces))

(defun foretype--status (_workspace params)
  "Keep the state that the server reports in PARAMS."
  (setq foretype-state (or (lsp-get params :state) foretype-state))
  (force-mode-line-update t))

(defun foretype--free-p ()
  "Whether a suggestion may be shown.
Not over a selection, a menu or a snippet."
  (not (or (use-region-p)
           (minibufferp)
           buffer-read-only
           (bound-and-true-p yas--active-snippets)
           (bound-and-true-p completion-in-region-mode)
           (and (bound-and-true-p company-mode) (fboundp 'company--active-p) (company--active-p)))))

(defun foretype--ask (buffer point)
  "Ask for a suggestion if BUFFER is current and the cursor still at POINT."
  (when (and (eq buffer (current-buffer)) (eq point (point)) (foretype--free-p))
    (lsp-inline-completion-display 'implicit)))

(defun foretype--changed (&rest _)
  "Ask soon: the buffer changed."
  (when foretype--timer
    (cancel-timer foretype--timer))
  (let ((buffer (current-buffer)))
    (setq foretype--timer
          (run-with-idle-timer foretype-idle-delay nil
                               (lambda ()
                                 (when (buffer-live-p buffer)
                                   (foretype--ask buffer (with-current-buffer buffer (point)))))))))

;;;###autoload
(define-minor-mode foretype-ghost-mode
  "Show ghost text in this buffer while typing."
  :lighter (:eval (format " ft:%s" foretype-state))
  (if foretype-ghost-mode
      (progn
        (lsp-inline-completion-mode -1) ; it would ask once more, later
        (add-hook 'after-change-functions #'foretype--changed nil t))
    (remove-hook 'after-change-functions #'foretype--changed t)
    (when foretype--timer
      (cancel-timer foretype--timer))
    (lsp-inline-completion-cancel)))

(defun foretype--configure ()
  "Switch ghost text on in a buffer that foretype-lsp serves."
  (when (foretype--serves-p)
    (foretype-ghost-mode 1)))

(defun foretype--accept-part (pattern)
  "Insert what of the suggestion matches PATTERN from its start.
The rest is asked for again, and comes from the cache."
  (unless (lsp-inline-completion--active-p)
    (user-error "No suggestion is shown"))
  (let* ((item (elt lsp-inline-completion--items lsp-inline-completion--current))
         (text (lsp-get item :insertText)))
    (lsp-inline-completion-cancel)
    (insert (if (string-match pattern text) (match-string 0 text) text))))

(defun foretype-accept-word ()
  "Insert the next word of the suggestion."
  (interactive)
  (foretype--accept-part "\\`\\(?:[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]]+\\)\\)"))

(defun foretype-accept-line ()
  "Insert the next line of the suggestion."
  (interactive)
  (foretype--accept-part "\\`\n*[^\n]+"))

;; lsp-mode hides the suggestion before any command but those with this mark.
(put 'foretype-accept-word 'lsp-inline-completion-keep t)
(put 'foretype-accept-line 'lsp-inline-completion-keep t)

(let ((map lsp-inline-completion-active-map))
  ;; A terminal sends no C-<return>, lsp-mode's own key.
  (define-key map (kbd "TAB") #'lsp-inline-completion-accept)
  (define-key map (kbd "<tab>") #'lsp-inline-completion-accept)
  (define-key map (kbd "C-<right>") #'foretype-accept-word)
  (define-key map (kbd "C-<down>") #'foretype-accept-line))

(add-hook 'lsp-configure-hook #'foretype--configure t)

(lsp-register-client
 (make-lsp-client
  :new-connection (lsp-stdio-connection (lambda () foretype-command))
  :activation-fn #'foretype--wanted-p
  :initialization-options (lambda () foretype-options)
  :notification-handlers (lsp-ht ("foretype/status" #'foretype--status))
  :add-on? t
  :multi-root t
  :priority -2
  :server-id 'foretype))

(provide 'foretype)
;;; foretype.el ends here
